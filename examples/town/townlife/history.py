"""The frames of a world, read with plain git: the branch's commits are the history."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class NoWorld(Exception):
    """There is no world to read."""


class Frame(NamedTuple):
    """One frame: the commit that holds it, and the documents that were asked for."""

    commit: str
    documents: dict[str, Any]


def find_branch(repo: Path, wanted: str | None) -> str:
    """Return the ref of the world. Raises NoWorld."""
    for name in (wanted,) if wanted else ("world", "origin/world"):
        if _git(repo, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}", check=False):
            return name
    raise NoWorld(f"{repo}: no branch {wanted or 'world'}; next: git fetch origin world:world")


def read_frames(repo: Path, branch: str, names: Sequence[str], *, last: int) -> Iterator[Frame]:
    """Yield the last frames, oldest first, with the documents ``names`` that they have.

    The first parent of a frame is the frame before; the others are the deltas merged into it.
    """
    command = ("rev-list", "--first-parent", f"--max-count={last}", "--reverse", branch)
    commits = _git(repo, *command).split()
    wanted = "".join(f"{commit}:{name}\n" for commit in commits for name in names)
    batch = subprocess.run(
        ["git", "-C", str(repo), "cat-file", "--batch"],
        input=wanted.encode(),
        capture_output=True,
        check=True,
    ).stdout
    contents = _split_batch(batch)
    for commit in commits:
        found = {name: next(contents) for name in names}
        yield Frame(commit, {name: json.loads(data) for name, data in found.items() if data})


def _split_batch(batch: bytes) -> Iterator[bytes | None]:
    """Yield what ``git cat-file --batch`` answered: content, or None for what is missing."""
    start = 0
    while start < len(batch):
        end = batch.index(b"\n", start)
        head = batch[start:end].split()
        start = end + 1
        if head[-1] == b"missing":
            yield None
            continue
        size = int(head[-1])
        yield batch[start : start + size]
        start += size + 1


def _git(repo: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(["git", "-C", str(repo), *words], capture_output=True, text=True)
    if check and done.returncode:
        raise NoWorld(done.stderr.strip())
    return done.stdout.strip()
