"""``baton init --remote``: another remote has another board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.functional.baton import Baton


def test_another_remote_was_not_set_back(clones: Callable[[str], Baton], tmp_path: Path) -> None:
    one = clones("one")
    one.ok("init")
    one.ok("add", "Here", "--id", "here")
    assert [task["id"] for task in one.ok("list")["tasks"]] == ["here"]
    other = tmp_path / "other.git"
    one.git("init", "-q", "--bare", str(other))
    one.git("push", "-q", str(other), "HEAD:refs/heads/main")
    one.git("remote", "add", "other", str(other))
    one.ok("init", "--remote", "other")
    assert one.ok("list")["tasks"] == []
    one.ok("add", "There", "--id", "there")
    assert [task["id"] for task in one.ok("list")["tasks"]] == ["there"]
    one.ok("init", "--remote", "origin")
    assert [task["id"] for task in one.ok("list")["tasks"]] == ["here"]
