"""Linked worktrees of one repository: made, found and taken away one at a time.

`git worktree add` in parallel fails on `config.lock`, so it is serialised by a file lock here.
Layout of the administrative directory: gitrepository-layout(5), "worktrees/".
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.runner import Git

PATIENCE = 300.0  # seconds to wait for others who add or remove a worktree

# Our own commands run no hook and no monitor, sign nothing, and see every file: an agent may have
# set any of these in the repository's configuration.
QUIET = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.untrackedCache=false",
        "core.splitIndex=false",
        "core.sparseCheckout=false",
        "commit.gpgSign=false",
        "diff.orderFile=/dev/null",
        "gc.auto=0",
        "maintenance.auto=false",
        "rerere.enabled=false",
        "submodule.recurse=false",
    )
    for word in ("-c", setting)
)


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked worktree: where its files should be, and git's own directory for it."""

    path: Path
    admin: Path


class Home(Protocol):
    """A repository that has linked worktrees: its git directory, and git for it."""

    @property
    def path(self) -> Path: ...

    @property
    def git(self) -> Git: ...


class Worktrees:
    """The linked worktrees of one repository: the coordination repository, or the clone."""

    def __init__(self, repo: Home, lock_file: Path | None = None) -> None:
        self.repo = repo
        self._lock_file = lock_file or repo.path / "worktrees.lock"

    def add(
        self, path: Path, commit: Oid, *, branch: str | None, options: tuple[str, ...] = ()
    ) -> Linked:
        """Make a worktree at ``path`` with the files of ``commit``.

        On a new ``branch``, or detached where that is None. It is locked: `git worktree prune` by
        an agent leaves it alone. Its HEAD has a reflog, so that what was committed in it can be
        told from what was committed elsewhere. Raises GitFailed; remains are for ``discard``.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        how = ("--detach",) if branch is None else ("-b", branch)
        git = Git(self.repo.path, self.repo.git.env, (f"--git-dir={self.repo.path}", *QUIET))
        with self.lock():
            git.run(
                *("worktree", "add", "--quiet", "--no-checkout", "--lock", *how),
                *("--", str(path), commit),
            )
            made = next(item for item in self.list() if _same(item.path, path))
        # Git appends to this log wherever the file exists, whatever core.logAllRefUpdates says.
        (made.admin / "logs").mkdir(exist_ok=True)
        (made.admin / "logs" / "HEAD").touch()
        self.at(made, *options).run("reset", "--hard", "--quiet")
        return made

    def at(self, linked: Linked, *options: str) -> Git:
        """Return git working on ``linked`` by name, so that its `.git` file does not matter."""
        where = linked.path if linked.path.is_dir() else self.repo.path
        places = (f"--git-dir={linked.admin}", f"--work-tree={linked.path}")
        return Git(where, self.repo.git.env, (*places, *QUIET, *options))

    def list(self) -> list[Linked]:
        """Return all linked worktrees, ours and those that agents made; the path may be gone."""
        found = []
        for admin in sorted((self.repo.path / "worktrees").glob("*")):
            with contextlib.suppress(OSError):
                text = os.fsdecode((admin / "gitdir").read_bytes()).rstrip("\n")
                found.append(Linked(Path(text).parent, admin))
        return found

    def checked_out(self) -> set[str]:
        """Return the branches that some linked worktree stands on."""
        found = set()
        for item in self.list():
            with contextlib.suppress(OSError):
                head = os.fsdecode((item.admin / "HEAD").read_bytes()).rstrip("\n")
                found.add(head.removeprefix("ref: refs/heads/"))
        return found

    def remove(self, linked: Linked) -> None:
        """Erase the files and git's knowledge of ``linked``. Asks nobody: see work/salvage.py."""
        if linked.admin.parent != self.repo.path / "worktrees":
            raise ValueError(f"{linked.admin} is not of this repository")
        with self.lock():
            erase(linked.path)
            erase(linked.admin)

    def discard(self, path: Path) -> None:
        """Erase whatever a broken ``add`` left of a worktree at ``path``."""
        with self.lock():
            known = [item.admin for item in self.list() if _same(item.path, path)]
            for place in (path, *known):
                erase(place)

    def prune(self) -> None:
        """Forget unlocked worktrees whose files are gone (agents make some; ours are locked)."""
        with self.lock():
            self.repo.git.run("worktree", "prune", check=False)

    @contextlib.contextmanager
    def scratch(self, commit: Oid) -> Iterator[Git]:
        """Give a detached worktree of ``commit`` for one calculation; nothing in it is unique.

        Content is checked out as it is stored: no filter (such as LFS) runs.
        """
        path = self.repo.path / "scratch" / secrets.token_hex(8)
        path.parent.mkdir(exist_ok=True)
        in_use = path.with_suffix(".lock")
        with FileLock(in_use):
            try:
                options = without_filters(self.repo.git)
                yield self.at(self.add(path, commit, branch=None, options=options), *options)
            finally:
                self.discard(path)
        in_use.unlink(missing_ok=True)

    def sweep_scratch(self) -> int:
        """Erase the scratch worktrees of processes that were killed; return how many."""
        count = 0
        for in_use in (self.repo.path / "scratch").glob("*.lock"):
            with contextlib.suppress(Timeout), FileLock(in_use, timeout=0):
                self.discard(in_use.with_suffix(""))
                in_use.unlink(missing_ok=True)
                count += 1
        return count

    def lock(self) -> FileLock:
        """Return the lock that whoever changes the set of worktrees must hold."""
        return FileLock(self._lock_file, timeout=PATIENCE)


def without_filters(git: Git) -> tuple[str, ...]:
    """Return the options by which git stores and checks out bytes as they are."""
    shown = git.run("config", "--name-only", "--null", "--get-regexp", r"^filter\.", check=False)
    drivers = {name.rpartition(".")[0] for name in shown.text.split("\0") if name}
    settings = ["core.autocrlf=false"]
    for driver in sorted(drivers):
        settings += [f"{driver}.{part}=" for part in ("clean", "smudge", "process")]
        settings.append(f"{driver}.required=false")
    return tuple(word for setting in settings for word in ("-c", setting))


def erase(path: Path) -> None:
    """Delete ``path`` and all below it, read-only directories too. Links are not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    try:
        _delete(path)
    except PermissionError:
        # Module caches are commonly made read-only, directories included.
        path.chmod(stat.S_IRWXU)
        for directory, folders, _ in os.walk(path):
            for inner in (Path(directory, folder) for folder in folders):
                if not inner.is_symlink():
                    inner.chmod(stat.S_IRWXU)
        try:
            _delete(path)
        except OSError as error:
            raise BatonError(
                f"cannot delete {path}: {error.strerror}", next=f"ls -ld {path}"
            ) from error


def _delete(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
