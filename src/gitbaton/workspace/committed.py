"""Reads a file out of a commit, and tells "there is none" from "it cannot be told"."""

from __future__ import annotations

from typing import Final

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository

_PATIENCE: Final = 60.0  # seconds; a partial clone asks its remote


def read_committed(repository: CoordinationRepository, commit: Oid, path: str) -> str | None:
    """Return the text of the file ``path`` (from the top) in ``commit``; None: no such file.

    None only where the commit's own tree says so. Raises GitFailed or GitTimeout when that cannot
    be found out, InvalidInput for what is no file.
    """
    # The clone's git, because a partial clone is one only to it: it fetches by itself what it
    # lacks. The commit may have been fetched into the coordination repository alone.
    git = repository.clone.git
    env = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.path / "objects")}
    listed = git.run(
        *("ls-tree", "-z", "--full-tree", commit, "--", path), timeout=_PATIENCE, env=env
    )
    if not listed.stdout:
        return None
    entry, _, name = listed.stdout.decode("utf-8", "replace").rstrip("\0").partition("\t")
    _, kind, oid = entry.split(" ")
    if kind != "blob" or name != path:
        raise InvalidInput(path, f"is no file in {commit[:10]}")
    shown = git.run("cat-file", "blob", oid, timeout=_PATIENCE, env=env)
    return shown.stdout.decode("utf-8", "replace")
