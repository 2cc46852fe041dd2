"""What is known of one claim's worktree, in a file that outlives the process that made it.

Kept in the coordination repository (``claims/<name>/``), where an agent that deletes its worktree
does not reach it.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.git.repository import CoordinationRepository


class Phase(StrEnum):
    """How far a worktree is. Only in ``MAKING`` and ``REMOVING`` does it hold nothing of value."""

    MAKING = "making"
    WORKING = "working"
    REMOVING = "removing"


class ClaimRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One claim's worktree. ``base``: the target's tip; ``start``: that with the needs merged."""

    task: str
    epoch: int
    nonce: str
    owner: Process  # that looks after it
    phase: Phase
    path: str
    admin: str = ""  # git's own directory for the worktree
    branch: str
    base: Oid
    start: Oid
    stashes: tuple[Oid, ...] = ()  # already there when it was made
    branches: tuple[str, ...] = ()  # likewise
    notes: tuple[str, ...] = ()  # what did not go as it should, for people

    @property
    def name(self) -> str:
        """The name of the claim: of its directory, its worktree and its private refs."""
        return claim_name(self.task, self.epoch)


def claim_name(task: str, epoch: int) -> str:
    """Return the name of a claim. Unique: an epoch holds no ``-``, so the last ``-e`` splits it."""
    return f"{task}-e{epoch}"


def claim_directory(repo: CoordinationRepository, name: str) -> Path:
    """Return where the record of the claim ``name`` and what goes with it is kept."""
    return repo.path / "claims" / name


def save_record(repo: CoordinationRepository, record: ClaimRecord, *, durable: bool = True) -> None:
    """Write ``record``, whole or not at all. Not ``durable``: a power cut may lose it."""
    directory = claim_directory(repo, record.name)
    directory.mkdir(parents=True, exist_ok=True)
    # Not by tempfile: that makes it this user's alone, and a group may share the clone.
    temporary = directory / f"claim-{os.urandom(8).hex()}"
    with temporary.open("xb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record)))
        if durable:
            file.flush()
            os.fsync(file.fileno())
    os.replace(temporary, directory / "claim.json")


def load_record(repo: CoordinationRepository, name: str) -> ClaimRecord | None:
    """Return the record of the claim ``name``, None if there is none. Raises DamagedRecord."""
    path = claim_directory(repo, name) / "claim.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=ClaimRecord)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DamagedRecord(
            f"{path} is no record of a worktree: {error}",
            next=f"look whether {path.parent} holds anything of worth, then: rm -r '{path.parent}'",
        ) from error


def is_blank(repo: CoordinationRepository, name: str) -> bool:
    """Tell whether the record ``name`` holds nothing: a power cut took what was not yet durable."""
    return not (claim_directory(repo, name) / "claim.json").read_bytes().strip(b"\0")


def recorded_names(repo: CoordinationRepository) -> list[str]:
    """Return the names of all claims that have a record."""
    return sorted(path.parent.name for path in (repo.path / "claims").glob("*/claim.json"))
