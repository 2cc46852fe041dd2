"""The commits that were made here, and by which session: what may be amended.

Lines of JSON beside the lock of the working tree, the last ones only. A lost line costs somebody an
``--amend``, nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from gitbaton.core.ids import Oid

_KEPT: Final = 200  # lines that are left when the file is cut
_LONGEST: Final = 100_000  # bytes


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a commit: session and agent, as the environment names them, and the address."""

    session: str | None = None
    agent: str | None = None
    author: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One commit, and who made it."""

    commit: Oid
    maker: Maker


class Ledger(Struct, frozen=True):
    """The ledger of the working tree whose own directory is ``state``. Under its lock."""

    state: Path

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.state / "commits.jsonl"

    def note(self, line: Line) -> None:
        """Add a commit. Raises OSError where the file cannot be written."""
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            long = file.tell() > _LONGEST
        if long:
            kept = self.path.read_bytes().splitlines(keepends=True)[-_KEPT:]
            temporary = self.path.with_suffix(".new")
            temporary.write_bytes(b"".join(kept))
            temporary.replace(self.path)

    def find(self, commit: Oid) -> Line | None:
        """Return who made ``commit`` here; None if nobody did."""
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:  # none yet, or it cannot be read: nobody is known
            return None
        for text in reversed(lines):
            try:
                line = msgspec.json.decode(text, type=Line)
            except msgspec.DecodeError:
                continue  # a killed process wrote half of it
            if line.commit == commit:
                return line
        return None
