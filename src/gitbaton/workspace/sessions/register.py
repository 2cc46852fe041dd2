"""Where the roll of sessions is kept: one record in the clone's own store, changed by CAS.

One record for all of them, so that two that start at once cannot both count the other as absent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from gitbaton.core.errors import BatonError, DamagedRecord
from gitbaton.store.model import ABSENT, Actor, Committed, Record, Transaction, make_key
from gitbaton.store.protocol import Store
from gitbaton.workspace.sessions.roll import Roll

_KEY: Final = make_key("sessions", "roll")
_TRIES: Final = 1000  # each lost one is another session that came or went


class Register:
    """The roll of one clone's sessions."""

    def __init__(self, local: Store) -> None:
        self._local = local

    def read(self) -> Roll:
        """Return the roll as it is now. Raises DamagedRecord."""
        return self._load()[1]

    def change(self, subject: str, decide: Callable[[Roll], Roll]) -> Roll:
        """Replace the roll by what ``decide`` makes of it, and return that.

        ``decide`` may be called again when others were faster; what it raises is passed on, with
        nothing changed. ``subject`` goes into the history of the record.
        """
        for _ in range(_TRIES):
            record, roll = self._load()
            wanted = decide(roll)
            if wanted == roll:
                return roll
            change = Transaction(
                expect={_KEY: ABSENT if record is None else record.version},
                write={_KEY: msgspec.to_builtins(wanted)},
                subject=subject,
                actor=Actor("baton"),
            )
            if isinstance(self._local.commit([change])[0], Committed):
                return wanted
        raise BatonError("the sessions of this clone change all the time", next="try again")

    def _load(self) -> tuple[Record | None, Roll]:
        record = self._local.read(_KEY).records.get(_KEY)
        if record is None:
            return None, Roll()
        try:
            return record, msgspec.convert(record.value, Roll)
        except msgspec.ValidationError as error:
            raise DamagedRecord(
                f"the list of sessions cannot be read: {error}", next="baton doctor"
            ) from error
