"""A repository to commit in, and what can be asked of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitbaton.checkout import Checkout
from gitbaton.core.clock import Clock
from gitbaton.workspace.safecommit.request import CommitRequest, Committed


@dataclass(frozen=True)
class House:
    """A working tree at ``top``. ``env`` is added to the environment of what runs in it."""

    top: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The whole environment."""
        return {**os.environ, **self.env}

    def git(self, *words: str | bytes, stdin: bytes | None = None) -> str:
        """Run git, which must succeed, and return what it printed."""
        return os.fsdecode(self.raw(*words, stdin=stdin)).rstrip("\n")

    def raw(self, *words: str | bytes, stdin: bytes | None = None) -> bytes:
        """Run git, which must succeed, and return what it printed, as it is."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.top,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def write(self, path: str | bytes, text: str | bytes) -> Path:
        """Write a file, and the directories above it."""
        place = self.top / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        return place

    def commit(
        self,
        *paths: str | bytes,
        message: str | None = "work",
        at: Path | None = None,
        clock: Clock | None = None,
        **wishes: Any,
    ) -> Committed:
        """Commit ``paths`` (from the top) in this process."""
        return (
            self.checkout(at=at, clock=clock)
            .commits()
            .run(
                CommitRequest(
                    paths=tuple(os.fsencode(path) for path in paths),
                    message=None if message is None else os.fsencode(message) + b"\n",
                    **wishes,
                )
            )
        )

    def checkout(self, *, at: Path | None = None, clock: Clock | None = None) -> Checkout:
        """Open the working tree as ``baton`` does."""
        return Checkout(at or self.top, self.environment(), command="test", clock=clock)

    def plain(self, *paths: str, message: str = "plain") -> str:
        """Commit ``paths`` by git alone and return the commit."""
        self.git("add", "--", *paths)
        self.git("commit", "-q", "-m", message, "--", *paths)
        return self.head

    @property
    def head(self) -> str:
        """The commit that HEAD is at."""
        return self.git("rev-parse", "HEAD")

    def files(self, commit: str = "HEAD") -> set[tuple[str, bytes]]:
        """Return what ``commit`` changed: (letter, path)."""
        raw = self.raw("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", commit)
        fields = raw.split(b"\0")
        return set(zip((os.fsdecode(word) for word in fields[0::2]), fields[1::2], strict=False))

    def content(self, path: str, commit: str = "HEAD") -> bytes:
        """Return what ``commit`` has at ``path``."""
        return self.raw("cat-file", "blob", f"{commit}:{path}")

    def mode(self, path: str | bytes, commit: str = "HEAD") -> str:
        """Return the mode of ``path`` in ``commit``; empty where it is not there."""
        return self.git("--literal-pathspecs", "ls-tree", commit, "--", path).partition(" ")[0]

    def staged(self) -> bytes:
        """Return the whole index: modes, objects, stages, paths."""
        return self.raw("ls-files", "-s", "-z")

    def status(self) -> list[str]:
        """Return what git status says, one line a path."""
        return [line for line in self.git("status", "--porcelain").split("\n") if line]

    def on_disk(self) -> dict[str, bytes]:
        """Return every file of the working tree, byte for byte; of links, where they lead."""
        return dict(self._walk())

    def check(self) -> None:
        """Fail unless the repository is whole and no lock is left."""
        self.git("fsck", "--no-dangling", "--no-progress")
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir"))
        assert not list(git_dir.glob("*.lock"))
        assert not list((git_dir / "refs").rglob("*.lock"))

    def _walk(self) -> Iterator[tuple[str, bytes]]:
        for directory, folders, names in os.walk(self.top):
            folders[:] = [name for name in folders if name != ".git"]
            for name in names:
                place = Path(directory, name)
                text = os.readlink(place).encode() if place.is_symlink() else place.read_bytes()
                yield str(place.relative_to(self.top)), text


def build(top: Path, *options: str) -> House:
    """Return a new repository at ``top`` with two commits."""
    subprocess.run(["git", "init", "-q", *options, str(top)], check=True)
    house = House(top)
    house.write("a.txt", "a\n")
    house.write("b.txt", "b\n")
    house.write("dir/c.txt", "c\n")
    house.git("add", ".")
    house.git("commit", "-q", "-m", "first")
    house.write("d.txt", "d\n")
    house.git("add", ".")
    house.git("commit", "-q", "-m", "second")
    return house
