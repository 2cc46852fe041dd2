"""``baton list``: which tasks, in which order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.baton import Baton


@pytest.mark.parametrize("remote", [False, True])
def test_by_status(baton: Baton, clones: Callable[[str], Baton], remote: bool) -> None:
    mine = clones("a") if remote else baton
    if remote:
        mine.ok("init")
    for id in ("held", "stuck", "free", "gone"):
        mine.ok("add", id, "--id", id)
    mine.ok("claim", "held")
    mine.ok("claim", "stuck")
    mine.ok("block", "stuck", "--reason", "a question")
    mine.ok("cancel", "gone", "--reason", "not wanted")

    def listed(*statuses: str) -> list[str]:
        words = [word for status in statuses for word in ("--status", status)]
        return [task["id"] for task in mine.ok("list", *words)["tasks"]]

    assert listed() == ["held", "stuck", "free", "gone"]
    assert listed("in-progress") == ["held"]
    assert listed("blocked", "in-progress") == ["held", "stuck"]
    assert listed("pending") == ["free"]
    assert listed("cancelled", "blocked") == ["stuck", "gone"]
    assert listed("review") == []
