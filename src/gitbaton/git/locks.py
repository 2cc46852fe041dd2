"""Lock files that a killed git left in a repository on this machine.

Git makes ``<file>.lock`` before it changes a file and never waits long for one; one that outlives
its process refuses every later change of that ref ("cannot lock ref"). Only where the repository
can be reached as a directory can they be seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_OF_REFS: Final = ("packed-refs.lock", "HEAD.lock")
_OF_FILES: Final = ("config.lock", "shallow.lock")
_OF_A_TREE: Final = ("index.lock", "HEAD.lock")


def find_repository(url: str, base: Path) -> Path | None:
    """Return the git directory that ``url`` names on this machine, None for any other address.

    A relative path starts at ``base``.
    """
    if url.startswith("file://"):
        path = Path(unquote(urlsplit(url).path))
    elif "://" in url or "::" in url or (":" in url and "/" not in url.partition(":")[0]):
        return None
    else:
        path = base / url
    # As git does (git-upload-pack(1), without --strict).
    for place in (path, path / ".git", Path(f"{path}.git")):
        if (place / "HEAD").is_file() and (place / "refs").is_dir():
            return place
    return None


def find_stale_locks(git_dir: Path, *, older_than: float, now: float) -> list[Path]:
    """Return the locks of refs in ``git_dir`` that have stood for ``older_than`` seconds.

    ``now``: the time by the same clock as the files' own (``time.time()``).
    """
    return _older(_locks(git_dir), older_than, now)


def find_stale_tree_locks(common: Path, *, older_than: float, now: float) -> list[Path]:
    """Return the locks of a clone's own files that have stood for ``older_than`` seconds.

    Those of its configuration, and of the index and HEAD of each of its working trees; ``common``
    is what these share (gitrepository-layout(5)). ``now``: as for ``find_stale_locks``.
    """
    trees = [common, *(common / "worktrees").glob("*")]
    files = find_stale_file_locks(common, older_than=older_than, now=now)
    of_trees = (tree / name for tree in trees for name in _OF_A_TREE)
    return sorted([*files, *_older(of_trees, older_than, now)])


def find_stale_file_locks(git_dir: Path, *, older_than: float, now: float) -> list[Path]:
    """Return the locks of the configuration, and of where history ends, that are that old.

    ``older_than``, ``now``: as for ``find_stale_locks``.
    """
    return _older((git_dir / name for name in _OF_FILES), older_than, now)


def _older(paths: Iterable[Path], than: float, now: float) -> list[Path]:
    found = []
    for path in paths:
        try:
            age = now - path.stat().st_mtime
        except OSError:
            continue  # gone: it was in use
        if age >= than:
            found.append(path)
    return sorted(found)


def _locks(git_dir: Path) -> Iterator[Path]:
    yield from (git_dir / name for name in _OF_REFS)
    for directory, _, files in os.walk(git_dir / "refs"):
        yield from (Path(directory, name) for name in files if name.endswith(".lock"))
