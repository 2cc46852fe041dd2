"""Which directory core.hooksPath names, and how a hook in it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.git.runner import Git
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.hooks import HookDirectory

_TOP = Path("/nowhere/shop")


def _directory(setting: str | None, top: Path = _TOP) -> HookDirectory:
    common = top / ".git"
    tree = WorkingTree(
        top=top, git_dir=common, common=common, prefix=b"", git=Git(top, {}), format="sha1"
    )
    return HookDirectory.of(tree, setting, {"HOME": "/home/ada"})


@pytest.mark.parametrize(
    ("setting", "path", "command", "is_own"),
    [
        (None, "/nowhere/shop/.git/hooks", ".git/hooks/x", True),
        (".git/hooks", "/nowhere/shop/.git/hooks", ".git/hooks/x", True),
        ("/nowhere/shop/.git/hooks/", "/nowhere/shop/.git/hooks", ".git/hooks/x", True),
        (".husky/_", "/nowhere/shop/.husky/_", ".husky/_/x", False),
        ("/nowhere/shop/hooks", "/nowhere/shop/hooks", "hooks/x", False),
        (".", "/nowhere/shop", "./x", False),
        ("~/hooks", "/home/ada/hooks", "/home/ada/hooks/x", False),
        ("../hooks", "/nowhere/hooks", "/nowhere/hooks/x", False),
        (".git/other", "/nowhere/shop/.git/other", "/nowhere/shop/.git/other/x", False),
        ("/dev/null", "/dev/null", "/dev/null/x", False),
    ],
)
def test_where_hooks_are(setting: str | None, path: str, command: str, is_own: bool) -> None:
    found = _directory(setting)
    assert (str(found.path), found.is_own) == (path, is_own)
    assert found.command("x") == command


def test_the_hooks_of_another_repository_are_brought_in(tmp_path: Path) -> None:
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    found = _directory(str(tmp_path / ".git" / "hooks"))
    assert (found.path, found.command("x")) == (tmp_path / ".git" / "hooks", ".git/hooks/x")
