"""What a worker has made and not yet seen delivered: it survives the worker.

A worker that is killed between making a delta and learning that it is there finds it here again.
So nothing that its agents did is lost, and no agent runs twice for one frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid, is_oid
from gitbaton.frames.refs import Pair

UNDELIVERED: Final = "undelivered.json"
"""The name of a worker's journal, in the directory of the worker."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    frame: int
    worker: str
    commit: str
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A delta whose objects are in the clone, and of which the remote may know nothing.

    ``stand_in``: one without ops that was made because the host refused this one.
    """

    pair: Pair
    commit: Oid
    stand_in: Oid | None = None


class Journal:
    """One file that names at most one delta. It is replaced whole, or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, delta: Undelivered) -> None:
        """Note ``delta``. Raises BatonError when the disk is full or not writable."""
        line = _Line(delta.pair.frame, delta.pair.worker, delta.commit, delta.stand_in or "")
        temporary = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(line))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise BatonError(
                f"cannot write {self._path}: {error.strerror}",
                next=f"ls -ld {self._path.parent}; df {self._path.parent}",
            ) from error

    def read(self) -> Undelivered | None:
        """Return what is noted; None where nothing is, or nothing that can be read."""
        try:
            line = msgspec.json.decode(self._path.read_bytes(), type=_Line)
        except (OSError, msgspec.DecodeError):
            return None
        if not is_oid(line.commit):
            return None
        stand_in = Oid(line.stand_in) if is_oid(line.stand_in) else None
        return Undelivered(Pair(line.frame, line.worker), Oid(line.commit), stand_in)

    def clear(self) -> None:
        """Forget it: it was delivered, or can never be."""
        self._path.unlink(missing_ok=True)


def noted_below(directory: Path) -> Iterator[Oid]:
    """Yield the commits that the journals of all workers below ``directory`` name."""
    for path in directory.glob(f"*/{UNDELIVERED}"):
        noted = Journal(path).read()
        if noted is not None:
            yield from (oid for oid in (noted.commit, noted.stand_in) if oid is not None)
