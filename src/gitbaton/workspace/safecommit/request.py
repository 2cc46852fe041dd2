"""What is asked of a safe commit, and what it answers. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field

from gitbaton.core.ids import Oid
from gitbaton.git.durability import Durability
from gitbaton.git.entries import Entry
from gitbaton.git.placing import Placed
from gitbaton.workspace.safecommit.guards import Limits
from gitbaton.workspace.safecommit.message import Cleanup

Status: TypeAlias = Literal["added", "changed", "removed"]


class CommitRequest(Struct, frozen=True, kw_only=True):
    """One commit that is wanted.

    ``paths`` count from the top of the working tree (naming.resolve). ``message`` None: that of
    the commit which ``amend`` replaces. ``check``: all guards and hooks, and nothing is moved.
    ``wait``: seconds for the lock; ``patience``: for locks of git's own.
    """

    paths: tuple[bytes, ...]
    message: bytes | None
    amend: bool = False
    check: bool = False
    recursive: bool = False
    wait: float = 60.0
    patience: float = 10.0
    limits: Limits = field(default_factory=Limits)


class CommitSettings(Struct, frozen=True, kw_only=True):
    """What git's own configuration, and the environment, say of commits.

    ``task``: noted in a trailer; None: no trailer. ``file_modes``, ``ignore_case``: core.fileMode
    and core.ignoreCase. ``scanner``: a command that gets the change on its standard input, as a
    diff, and fails where it finds a secret. ``durability``: core.fsync.
    """

    cleanup: Cleanup = "whitespace"
    comment: bytes = b"#"
    sign: bool = False
    file_modes: bool = True
    ignore_case: bool = False
    task: str | None = None
    scanner: str | None = None
    durability: Durability = Durability()


class Superseded(Struct, frozen=True):
    """Somebody had staged another version of a path that was committed.

    ``staged``: that version, None for a staged deletion. ``kept``: it is newer than what was
    committed, and is still staged; else the index follows the commit, and the version is in the
    object store for as long as git keeps what nothing names (gc.pruneExpire, two weeks).
    """

    path: bytes
    staged: Entry | None
    kept: bool


class Committed(Struct, frozen=True, kw_only=True):
    """A commit that was made; under ``check`` one that could be made (``commit`` is None).

    ``branch``: the full name, None on a detached HEAD. ``files``: what changed and how.
    ``unchanged``: named, and the same as before. ``returned``: files of the user's that got the
    fixes of hooks, or did not. ``dropped``: changes of hooks to files that were not named.
    """

    commit: Oid | None
    parent: Oid | None
    branch: str | None
    subject: str
    files: Mapping[bytes, Status]
    unchanged: tuple[bytes, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    returned: tuple[Placed, ...] = ()
    dropped: tuple[bytes, ...] = ()
    hooks: tuple[str, ...] = ()
    output: bytes = b""
    amended: bool = False
    again: int = 0
    """How often the branch moved meanwhile, so that the commit was made anew."""
