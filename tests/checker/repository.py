"""A bare repository, read through the git binary in a handful of processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FIELDS = (
    "%H",
    "%P",
    "%s",
    "%(trailers:key=Baton-Task,valueonly,separator=%x1e)",
    "%(trailers:key=Baton-Epoch,valueonly,separator=%x1e)",
    "%(trailers:key=Baton-Transaction,valueonly,separator=%x1e)",
)


class GitFailed(Exception):
    """Git could not read what it was asked for."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The parts of a commit that matter here. ``made_for``: (task, epoch) as its trailers say."""

    oid: str
    parents: tuple[str, ...]
    subject: str
    made_for: tuple[tuple[str, str], ...]
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that a commit of the board wrote (``blob``) or removed (None)."""

    commit: str
    path: str
    blob: str | None


class Repository:
    """Questions to one repository. Every method is one process; raises GitFailed."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")
        }
        self.algorithm = self._ask("rev-parse", "--show-object-format").strip()

    def damage(self) -> str | None:
        """Return what git itself finds missing or broken, None when all is well."""
        done = self._run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        return None if done.returncode == 0 else _text(done.stderr + done.stdout).strip()

    def refs(self) -> dict[str, tuple[str, str]]:
        """Return (object id, object type) of every ref."""
        listed = self._ask("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)")
        rows = (line.split(" ") for line in listed.splitlines())
        return {ref: (oid, kind) for ref, oid, kind in rows}

    def commits(self) -> dict[str, Commit]:
        """Return every commit that any ref reaches."""
        listed = self._ask("log", "--all", "-z", f"--format=tformat:{'%x1f'.join(_FIELDS)}")
        commits = (_commit(row) for row in listed.split("\0") if row)
        return {commit.oid: commit for commit in commits}

    def board_changes(self, tip: str) -> list[FileChange]:
        """Return what each commit on the board's first-parent line changed, oldest first."""
        listed = self._ask(
            *("-c", "log.showRoot=true", "log", "--first-parent", "--diff-merges=first-parent"),
            *("--reverse", "--raw", "--no-abbrev", "--no-renames", "--format=%H", tip),
        )
        changes: list[FileChange] = []
        commit = ""
        for line in listed.split("\n"):
            if not line.startswith(":"):
                commit = line or commit
                continue
            head, _, path = line.partition("\t")
            blob = head.split(" ")[3]
            changes.append(FileChange(commit, path, blob if blob.strip("0") else None))
        return changes

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the content of each object, None where there is none of that name."""
        done = self._run("cat-file", "--batch", stdin="".join(f"{n}\n" for n in names).encode())
        if done.returncode != 0:
            raise GitFailed(_text(done.stderr))
        return list(_contents(done.stdout))

    def _ask(self, *args: str) -> str:
        done = self._run(*args)
        if done.returncode != 0:
            raise GitFailed(f"git {args[0]}: {_text(done.stderr).strip()}")
        return _text(done.stdout)

    def _run(self, *args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "--no-replace-objects", f"--git-dir={self._path}", *args],
            env=self._env,
            input=stdin,
            capture_output=True,
            check=False,
        )


def _commit(row: str) -> Commit:
    oid, parents, subject, tasks, epochs, transactions = row.split("\x1f")
    named = zip(tasks.split("\x1e"), epochs.split("\x1e"), strict=False)
    made_for = tuple((task.strip(), epoch.strip()) for task, epoch in named if task)
    nonces = tuple(word.strip() for word in transactions.split("\x1e") if word)
    return Commit(oid, tuple(parents.split()), subject, made_for, nonces)


def _contents(output: bytes) -> Iterator[bytes | None]:
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].rsplit(b" ", 2)
        at = end + 1
        if words[-1] == b"missing":
            yield None
            continue
        size = int(words[-1])
        yield output[at : at + size]
        at += size + 1


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
