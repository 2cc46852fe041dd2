"""Clones of one remote, and what is asked of them while they follow each other."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.git.gitconfig import flag, read_gitconfig
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.integration.integration import Integration
from gitbaton.workspace.integration.outcome import Integrated
from gitbaton.workspace.safecommit.lock import Holder, TreeLock

ODD = os.fsdecode(b"odd \xff\n.txt")


class Tree:
    """A clone, and git in it."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def git(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(["git", *words], cwd=self.top, check=check, capture_output=True)
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, path: str, text: str) -> None:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        return (self.top / path).read_text()

    def commit(self, message: str, **files: str | None) -> str:
        for path, text in files.items():
            if text is None:
                self.git("rm", "-q", "-f", path)
            else:
                self.write(path, text)
                self.git("add", "--", path)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def integration(self, how: str = "rebase", seed: int = 0) -> Integration:
        tree = WorkingTree.find(self.top, dict(os.environ))
        clock = SystemClock()
        return Integration(
            tree=tree,
            lock=TreeLock(tree.state, clock, Holder(pid=os.getpid(), command="test")),
            clock=clock,
            rng=random.Random(seed),
            how="merge" if how == "merge" else "rebase",
            sign=False,
            fallback="origin",
            timeout=30.0,
            place="/elsewhere",
            sparse=flag(read_gitconfig(tree.git), "core.sparsecheckout", default=False),
        )

    def sync(self, how: str = "rebase", *, publish: bool = False) -> Integrated:
        done = self.integration(how).run(publish=publish)
        assert done is not None
        self.require_whole()
        return done

    def require_whole(self) -> None:
        self.git("fsck", "--strict", "--no-dangling")
        assert not (self.top / ".git" / "index.lock").exists()
        assert self.git("stash", "list") == ""
        assert list((self.top / ".git" / "baton").glob("moves/*")) == []


Clones = Callable[[str], Tree]


def kept(done: Integrated) -> dict[str, str]:
    return {os.fsdecode(item.path): item.why for item in done.kept}


def bytes_of(top: Path) -> dict[str, bytes]:
    """Return every file outside of the git directory, byte for byte; a link by its target."""
    found = {}
    for path in top.rglob("*"):
        name = str(path.relative_to(top))
        if not name.startswith(".git/") and (path.is_symlink() or path.is_file()):
            found[name] = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
    return found
