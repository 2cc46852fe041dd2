"""What lies in a worktree, as a tree: through a private index, never through the worktree's own.

So an index that is locked, broken or half merged does not matter, and neither do flags by which
git would overlook a change (assume-unchanged). The worktree's own index is only *asked*: which
ignored files were added by force, which files a sparse checkout left out, what was staged.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.runner import Git
from gitbaton.git.worktrees import without_filters


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a worktree at one moment. Paths are relative to it.

    ``nested``: repositories inside that are no submodules. ``unsaved``: files that should be in
    ``tree`` and could not be read.
    """

    tree: Oid
    nested: tuple[str, ...]
    unsaved: tuple[str, ...]


class OwnIndex:
    """What (a copy of) the worktree's own index has to tell. A broken one tells nothing."""

    def __init__(self, git: Git, index: Path) -> None:
        self._git = git
        self._env = {"GIT_INDEX_FILE": str(index)}

    def paths(self) -> list[str]:
        """Return all paths in it."""
        return list(dict.fromkeys(path for _, _, path in self._entries))

    def left_out(self) -> list[str]:
        """Return the paths that a sparse checkout leaves out of the worktree."""
        return [path for tag, _, path in self._entries if tag == "S"]

    def unmerged(self) -> list[str]:
        """Return the paths with a conflict."""
        return list(dict.fromkeys(path for _, stage, path in self._entries if stage != "0"))

    @functools.cached_property
    def _entries(self) -> list[tuple[str, str, str]]:
        """The tag, stage and path of each entry, read once: a copy does not change."""
        entries = []
        for line in self._ask("ls-files", "-z", "-t", "--stage"):
            about, _, path = line.partition("\t")
            tag, _, _, stage = about.split(" ")
            entries.append((tag, stage, path))
        return entries

    def tree(self) -> Oid | None:
        """Return the tree of what is staged; None where there is a conflict."""
        written = self._ask("write-tree")
        return Oid(written[0]) if written else None

    def _ask(self, *args: str) -> list[str]:
        done = self._git.run(*args, env=self._env, check=False)
        return _split(done.stdout) if done.status == 0 else []


class WorkingFiles:
    """The files under ``git``'s work tree, seen through the index file ``index``."""

    def __init__(self, git: Git, index: Path) -> None:
        self.git = git
        self.root = git.directory
        self.index = index

    def take(self, head: Oid | None, own: OwnIndex) -> Snapshot:
        """Read all files into the index and the object store; return what is there.

        ``head``: the commit they are compared with (None: nothing). ``own``: the worktree's index.
        """
        self._begin(head)
        self._leave_out(own.left_out())
        self._run("add", "--update", "--ignore-errors", check=False)
        others = self.others("--exclude-standard")
        self._add([*(p for p in others if not p.endswith("/")), *self._forced(own)])
        unsaved, nested = self._rest()
        if unsaved:
            unsaved = self._add_raw(unsaved)
            nested = self._rest()[1]
        return Snapshot(
            tree=Oid(self._run("write-tree")[0]), nested=tuple(nested), unsaved=tuple(unsaved)
        )

    def others(self, *exclude: str) -> list[str]:
        """Return the files that the index does not hold; a nested repository ends in a slash."""
        return self._run("ls-files", "-z", "--others", *exclude)

    def submodules(self) -> list[str]:
        """Return the paths of the submodules in the index."""
        entries = self._run("ls-files", "-z", "--stage")
        return [e.partition("\t")[2] for e in entries if e.startswith("160000 ")]

    def _begin(self, head: Oid | None) -> None:
        words = ("--empty",) if head is None else ("--reset", head)
        try:
            self._run("read-tree", *words)
        except GitFailed:
            self.index.unlink(missing_ok=True)  # the seed was unusable: read every file instead
            self._run("read-tree", *words)

    def _leave_out(self, paths: Sequence[str]) -> None:
        """Keep what a sparse checkout left out: its absence is no deletion."""
        absent = {p for p in paths if not os.path.lexists(self.root / p)}
        known = absent.intersection(self._run("ls-files", "-z")) if absent else ()
        if known:
            self._run("update-index", "--skip-worktree", "-z", "--stdin", paths=sorted(known))

    def _forced(self, own: OwnIndex) -> list[str]:
        """Return what was added to the worktree's own index and is still there."""
        ours = set(self._run("ls-files", "-z"))
        return [p for p in own.paths() if p not in ours and os.path.lexists(self.root / p)]

    def _add_raw(self, paths: Sequence[str]) -> list[str]:
        """Add ``paths`` as they are; return those that cannot be saved even so.

        A clean filter may have failed: LFS without its program must not cost the content. From
        here on no filter runs: git would ask it again about a file as young as this.
        """
        options = (*without_filters(self.git), "-c", "core.safecrlf=false")
        self.git = Git(self.root, self.git.env, self.git.options + options)
        self._add(paths)
        wanted = set(paths)
        return [path for path in self._rest()[0] if path in wanted]

    def _add(self, paths: Sequence[str]) -> None:
        """Add ``paths``; those that cannot be read are found by halving, and stay out."""
        if not paths:
            return
        try:
            self._run(
                *("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
                paths=paths,
            )
        except GitFailed:
            if len(paths) > 1:
                middle = len(paths) // 2
                self._add(paths[:middle])
                self._add(paths[middle:])

    def _rest(self) -> tuple[list[str], list[str]]:
        """Return the files that the index does not hold as they are, and nested repositories."""
        changed = self._run("diff-files", "-z", "--name-only", "--ignore-submodules=all")
        others = self.others("--exclude-standard")
        left = [p for p in others if not p.endswith("/")]
        return [*changed, *left], [p for p in others if p.endswith("/")]

    def _run(
        self,
        *args: str,
        paths: Sequence[str] | None = None,
        check: bool = True,
    ) -> list[str]:
        stdin = None if paths is None else b"".join(os.fsencode(p) + b"\0" for p in paths)
        env = {"GIT_INDEX_FILE": str(self.index)}
        done = self.git.run(*args, stdin=stdin, env=env, check=check)
        return _split(done.stdout)


@contextlib.contextmanager
def private_files(
    git: Git, place: Path, *, seed: Path, own: Path
) -> Iterator[tuple[WorkingFiles, OwnIndex]]:
    """Give the files of ``git``'s work tree with a private index in a directory below ``place``.

    ``seed``: an index from which unchanged files are known without reading them. ``own``: the
    worktree's own index, given as a copy, so that it is never locked. Either may be missing.
    """
    with tempfile.TemporaryDirectory(prefix="index-", dir=place) as directory:
        index, copy = Path(directory, "index"), Path(directory, "own")
        for source, target in ((seed, index), (own, copy)):
            if source.is_file():
                # With its time: git judges by it which entries may be racily clean.
                shutil.copy2(source, target)
        yield WorkingFiles(git, index), OwnIndex(git, copy)


@contextlib.contextmanager
def leaving_out(patterns: Sequence[str]) -> Iterator[str]:
    """Give the option by which `git ls-files --others` leaves out what matches ``patterns``."""
    with tempfile.TemporaryDirectory(prefix="baton-") as directory:
        file = Path(directory, "exclude")
        file.write_text("".join(f"{pattern}\n" for pattern in patterns), encoding="utf-8")
        yield f"--exclude-from={file}"


def holds_commits(git: Git, *, known: Sequence[str] = ()) -> bool:
    """Tell whether ``git``'s repository has commits that neither its remotes nor ``known`` have.

    What cannot be found out counts as a yes.
    """
    # A glob without a wildcard would mean refs/stash/*.
    local = ("HEAD", "--branches", "--glob=refs/stas[h]")
    asked = git.run("rev-list", "--max-count=1", *local, "--not", "--remotes", *known, check=False)
    return bool(asked.stdout or asked.status)


def submodule_holds(git: Git, *, known: Sequence[str], patterns: str) -> bool:
    """Tell whether the submodule that ``git`` runs in has anything that is only there.

    That is commits which neither its remotes nor ``known`` have, changes, or ignored files.
    ``patterns``: of ``leaving_out``. What cannot be found out counts as a yes.
    """
    if not (git.directory / ".git").exists():
        return False
    if holds_commits(git, known=known):
        return True
    questions = (
        ("status", "--porcelain", "--ignore-submodules=none"),
        ("ls-files", "--others", patterns),
    )
    answers = (git.run(*question, check=False) for question in questions)
    return any(answer.stdout or answer.status for answer in answers)


def _split(output: bytes) -> list[str]:
    """Split NUL-terminated names (or one line) into text that keeps every byte."""
    parts = output.rstrip(b"\n").split(b"\0") if b"\0" not in output else output.split(b"\0")
    return [os.fsdecode(part) for part in parts if part]
