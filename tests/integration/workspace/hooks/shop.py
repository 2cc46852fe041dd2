"""A working tree full of other people's changes, and a snapshot of its hooks."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.place import Place
from gitbaton.workspace.snapshot.proposal import Checked, HookSettings, Proposal
from gitbaton.workspace.snapshot.snapshot import HookSnapshot


@dataclass
class Shop:
    """The clone at ``top``. ``told`` is what hooks printed, as it came."""

    top: Path
    told: bytearray = field(default_factory=bytearray)

    @property
    def directory(self) -> Path:
        return self.top.parent / f"{self.top.name}.baton"

    @property
    def tree(self) -> WorkingTree:
        return WorkingTree.find(self.top, os.environ)

    @property
    def place(self) -> Place:
        return Place.of(self.tree, self.directory)

    @property
    def checkout(self) -> Path:
        """Where the hooks run."""
        return self.place.files

    def git(self, *args: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", *args],
            cwd=self.top,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            check=True,
        ).stdout

    def write(self, files: Mapping[str, str]) -> None:
        """Write ``files`` into the working tree."""
        for name, content in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def save(self, message: str = "saved") -> None:
        """Commit all there is, without hooks."""
        self.git("add", "--all")
        self.git("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", message)

    def hook(self, name: str, script: str, *, directory: str = ".git/hooks") -> Path:
        """Make ``script`` the hook ``name``."""
        path = self.top / directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def propose(self, *paths: str | bytes, message: str = "work") -> Proposal:
        """Return the commit of ``paths`` as they lie in the working tree."""
        names = frozenset(os.fsencode(path) for path in paths)
        env = {"GIT_INDEX_FILE": str(self.top.parent / "proposed-index")}
        has_head = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=self.top, capture_output=True
        )
        self.git("read-tree", *(["HEAD"] if has_head.returncode == 0 else ["--empty"]), env=env)
        update = ("update-index", "--add", "--remove", "-z", "--stdin")
        self.git(*update, env=env, stdin=b"".join(name + b"\0" for name in names))
        head = has_head.stdout.decode().strip()
        branch = subprocess.run(
            ["git", "symbolic-ref", "--quiet", "HEAD"], cwd=self.top, capture_output=True
        )
        return Proposal(
            tree=Oid(self.git("write-tree", env=env).decode().strip()),
            head=Oid(head) if head else None,
            branch=branch.stdout.decode().strip() or None,
            paths=names,
            message=message.encode() + b"\n",
        )

    def snapshot(
        self, settings: HookSettings | None = None, env: Mapping[str, str] | None = None
    ) -> HookSnapshot:
        asked = subprocess.run(
            ["git", "config", "core.hooksPath"], cwd=self.top, capture_output=True, text=True
        )
        return HookSnapshot(
            self.tree,
            directory=self.directory,
            clock=SystemClock(),
            env={**os.environ, **(env or {})},
            hooks_path=asked.stdout.strip() or None,
            settings=settings,
            tell=self.told.extend,
        )

    def check(
        self, *paths: str | bytes, message: str = "work", settings: HookSettings | None = None
    ) -> Checked:
        """Run the hooks for a commit of ``paths``."""
        return self.snapshot(settings).check(self.propose(*paths, message=message))

    def file(self, tree: Oid, path: str) -> str:
        """Return the content of ``path`` in ``tree``."""
        return self.git("cat-file", "blob", f"{tree}:{path}").decode()

    def state(self) -> dict[str, bytes]:
        """Return all that no hook may touch: files, refs, index, HEAD, stash, settings."""
        seen = {"refs": self.git("for-each-ref"), "stash": self.git("stash", "list")}
        seen["staged"] = self.git("ls-files", "--stage")
        for name in (".git/HEAD", ".git/index", ".git/config"):
            seen[name] = (self.top / name).read_bytes()
        for path in sorted(self.top.rglob("*")):
            if ".git" not in path.relative_to(self.top).parts and path.is_file():
                seen[str(path)] = path.read_bytes()
        return seen
