"""A JSON-lines file as a source of messages: followed through appends, rotation and truncation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from gitbaton.core.errors import BatonError, InvalidInput, OutcomeUnknown
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.lines import LINE_LIMIT, parse_line, split_lines
from gitbaton.plans.inbox.model import Draft, to_value
from gitbaton.plans.inbox.places import Place, is_replaced, nowhere, open_begun, resume, tail
from gitbaton.plans.inbox.records import Found, read_one
from gitbaton.store.model import ABSENT, Actor, Key, Transaction, make_key
from gitbaton.store.protocol import Store

_BLOCK: Final = LINE_LIMIT
_SHOWN: Final = 8_192  # bytes of a bad line that are kept
_ACTOR: Final = Actor("inbox")


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is no message: where it is, why, and (the beginning of) what it says."""

    path: str
    offset: int
    reason: str
    line: str


@dataclass(slots=True)
class Pulled:
    """What was found in a file: new messages, copies of old ones, and lines that are neither."""

    new: int = 0
    copies: int = 0
    rejects: int = 0


class Feed:
    """Follows the file ``path`` into an inbox. Keeps it open: its end is read after a rename.

    Not for two threads at once; several processes may follow one file.
    """

    def __init__(self, path: Path, inbox: Inbox) -> None:
        self.path = Path(os.path.abspath(path))
        self._inbox, self._store = inbox, inbox.store
        self._file: BinaryIO | None = None
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:32]
        self._key = make_key("feeds", name)

    def pull(self) -> Pulled:
        """Send what is new in the file; a file that is not there has nothing new.

        Raises InvalidInput when it cannot be read, and what the inbox raises; then the same is
        read again the next time.
        """
        pulled = Pulled()
        while True:
            found = read_one(self._store, self._key, Place)
            before = None if found is None else found.value
            source = self._file = self._file or open_begun(self.path, before)
            if source is None:
                return pulled
            last = is_replaced(source, self.path)  # asked before it is read: the end is the end
            self._read(source, resume(source, self.path, before), found, pulled, last=last)
            if not last:
                return pulled
            self.close()
            self._keep(nowhere(self.path), read_one(self._store, self._key, Place))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(
        self,
        source: BinaryIO,
        place: Place,
        found: Found[Place] | None,
        pulled: Pulled,
        *,
        last: bool,
    ) -> None:
        """Send what is in ``source`` behind ``place``, and remember the place behind it."""
        while True:
            source.seek(place.offset)
            data = source.read(_BLOCK)
            lines, rest = split_lines(data)
            if not lines and len(rest) >= LINE_LIMIT:
                lines, rest, skipping = [rest], b"", True
            elif last and len(data) < _BLOCK and rest:
                lines, rest, skipping = [*lines, rest], b"", False
            else:
                skipping = False
            if not lines:
                return
            self._send(lines, place, pulled, cut=skipping)
            after = place.offset + len(data) - len(rest)
            place = msgspec.structs.replace(
                place, offset=after, tail=tail(source, after), skipping=skipping
            )
            self._keep(place, found)
            found = read_one(self._store, self._key, Place)

    def _send(self, lines: Sequence[bytes], place: Place, pulled: Pulled, *, cut: bool) -> None:
        drafts: list[tuple[int, bytes, Draft]] = []
        offset = place.offset
        for number, line in enumerate(lines):
            where, offset = offset, offset + len(line) + 1
            if number == 0 and place.skipping:
                continue  # the rest of a line that was rejected
            if cut:
                self._reject(where, line, f"longer than {LINE_LIMIT} bytes", pulled)
                continue
            try:
                draft = parse_line(line)
            except InvalidInput as error:
                self._reject(where, line, error.message, pulled)
                continue
            if draft is not None:
                drafts.append((where, line, draft))
        fates = self._inbox.send_all([draft for _, _, draft in drafts])
        for (where, line, _), fate in zip(drafts, fates, strict=True):
            if isinstance(fate, OutcomeUnknown):
                raise fate
            if isinstance(fate, BatonError):
                self._reject(where, line, fate.message, pulled)
            elif fate.copy:
                pulled.copies += 1
            else:
                pulled.new += 1

    def _reject(self, offset: int, line: bytes, reason: str, pulled: Pulled) -> None:
        """Keep a line that is no message, once, so that somebody can look at it."""
        pulled.rejects += 1
        shown = line[:_SHOWN].decode("utf-8", "backslashreplace")
        value = Reject(path=str(self.path), offset=offset, reason=reason, line=shown)
        name = hashlib.sha256(f"{self.path}\0{offset}\0".encode() + line).hexdigest()[:32]
        self._write(make_key("rejects", name), value, None, "reject: a line that is no message")

    def _keep(self, place: Place, found: Found[Place] | None) -> None:
        """Remember ``place``. Of two who follow one file, the slower one's is not kept."""
        self._write(self._key, place, found, "feed: read on")

    def _write(
        self, key: Key, value: msgspec.Struct, found: Found[Place] | None, subject: str
    ) -> None:
        change = Transaction(
            expect={key: ABSENT if found is None else found.version},
            write={key: to_value(value)},
            subject=subject,
            actor=_ACTOR,
            heartbeat=found is not None,
        )
        self._store.commit([change])


def read_rejects(store: Store) -> list[Reject]:
    """Return the lines that were no messages, of all files."""
    found = (read_one(store, key, Reject) for key in store.read("rejects/").records)
    return sorted(
        (each.value for each in found if each is not None), key=lambda r: (r.path, r.offset)
    )
