"""An inbox: messages are sent, delivered at least once, answered exactly once, and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, Refused
from gitbaton.plans.inbox.aging import AgeKeeper
from gitbaton.plans.inbox.answering import respond
from gitbaton.plans.inbox.model import (
    Delivery,
    Draft,
    Entry,
    Handle,
    Letter,
    Message,
    Receipt,
    Response,
)
from gitbaton.plans.inbox.records import (
    Found,
    letter_key,
    read_deliveries,
    read_letters,
    read_one,
)
from gitbaton.plans.inbox.rules import may_forget
from gitbaton.plans.inbox.sending import Fate, send_all
from gitbaton.plans.inbox.taking import Taker
from gitbaton.store.model import DELETE, Actor, Key, Transaction
from gitbaton.store.protocol import Store

KEEP: Final = 7 * 86_400.0
"""Seconds of the inbox's age for which an answered message is kept, if nothing else is said."""

_SHORTEST: Final = 4  # hex digits by which a person may name a message
_BATCH: Final = 100


@runtime_checkable
class Cuttable(Protocol):
    """A store that can forget what was done to records that are gone."""

    def cut_history(self, *, older_than: float) -> int:
        """Forget it, if it is older than so many seconds; return how many changes."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """The messages of an inbox, oldest first, and the keys that cannot be read with the reason."""

    entries: tuple[Entry, ...]
    damaged: dict[Key, str]


class Inbox:
    """The messages in ``store``. ``own``: it is this machine's. Close the store, not this.

    What raises RemoteUnreachable has changed nothing.
    """

    def __init__(self, store: Store, clock: Clock, *, own: bool) -> None:
        self.store, self.own = store, own
        self._clock = clock
        self._ages = AgeKeeper(store, clock, own=own)
        self._taker = Taker(store, clock)

    def send(self, draft: Draft) -> Receipt:
        """Send one message; a copy of one that was sent before gets the first one's response.

        Raises OutcomeUnknown (send it again), Refused (``id_reused``).
        """
        (fate,) = self.send_all([draft])
        if isinstance(fate, BatonError):
            raise fate
        return fate

    def send_all(self, drafts: Sequence[Draft]) -> list[Fate]:
        """Send several in one commit; return what became of each, errors included."""
        return send_all(self.store, self._ages, drafts, now=self._clock.now()) if drafts else []

    def take(
        self,
        reader: str,
        boxes: Collection[str],
        *,
        lease: float,
        wanted: Callable[[Delivery], bool] = lambda delivery: True,
    ) -> Message | None:
        """Return the next message for ``reader`` of ``boxes`` that is wanted; None: there is none.

        It must be answered, renewed or released before ``lease`` seconds are over: then others get
        it.
        """
        self._ages.tick()
        return self._taker.take(reader, boxes, lease=lease, wanted=wanted)

    def renew(self, message: Message) -> Message:
        """Return ``message`` with a lease that begins now. Raises ClaimLost, OutcomeUnknown."""
        return self._taker.renew(message)

    def release(self, message: Message) -> None:
        """Give ``message`` back unanswered. Raises ClaimLost, OutcomeUnknown."""
        self._taker.release(message)

    def respond(self, handle: Handle, text: str, *, by: str, token: str | None = None) -> Response:
        """Answer a message: see ``answering.respond``."""
        now = self._clock.now()
        return respond(self.store, self._ages, handle, text, by=by, token=token, now=now)

    def answer(self, message: Message, text: str) -> Response:
        """Answer a message that is in our hands. Raises ClaimLost if it is not any more."""
        hold = message.hold
        return self.respond(message.handle, text, by=hold.reader, token=hold.token)

    def response(self, handle: Handle) -> Response | None:
        """Return the response to a message; None: not yet. Raises Refused (``unknown_message``)."""
        found = read_one(self.store, letter_key(handle), Letter)
        if found is None:
            raise _unknown(handle)
        return found.value.response

    def find(self, word: str) -> Handle:
        """Return the one message whose handle begins with ``word``.

        Raises Refused (``unknown_message``, ``ambiguous``).
        """
        if len(word) < _SHORTEST or not all(digit in "0123456789abcdef" for digit in word):
            raise _unknown(word)
        handles = sorted(read_letters(self.store, word).found)
        if not handles:
            raise _unknown(word)
        if len(handles) > 1:
            raise Refused(
                f"{word!r} means {len(handles)} messages",
                code="ambiguous",
                next=f"write more of it, such as {handles[0][: len(word) + 4]}",
            )
        return handles[0]

    def list(self) -> Listing:
        """Return all messages that are kept."""
        deliveries, letters = read_deliveries(self.store), read_letters(self.store)
        entries = [
            Entry(handle, letter.value, _value(deliveries.found.get(handle)))
            for handle, letter in letters.found.items()
        ]
        entries.sort(key=lambda entry: (entry.letter.sent_at, entry.handle))
        return Listing(tuple(entries), {**deliveries.damaged, **letters.damaged})

    def prune(self, *, keep: float = KEEP) -> int:
        """Forget answered messages that are older than ``keep`` seconds; return how many.

        Never less than a day after the answer, so that copies are recognised for that long.
        """
        self._ages.tick()
        age = self._ages.read()
        old = [
            (handle, found)
            for handle, found in read_letters(self.store).found.items()
            if may_forget(found.value, age, keep=keep)
        ]
        for start in range(0, len(old), _BATCH):
            self.store.commit([_forget(*each) for each in old[start : start + _BATCH]])
        return len(old)

    def cut_history(self, *, keep: float) -> int:
        """Forget what became of messages that are gone, ``keep`` seconds ago; return how much.

        Never anything of a message that is still there. Only in this machine's own file: of any
        other inbox, its own readers take care.
        """
        return self.store.cut_history(older_than=keep) if isinstance(self.store, Cuttable) else 0


def _forget(handle: Handle, found: Found[Letter]) -> Transaction:
    return Transaction(
        expect={letter_key(handle): found.version},
        write={letter_key(handle): DELETE},
        subject=f"prune: {handle[:12]}",
        actor=Actor("inbox"),
    )


def _value(found: Found[Delivery] | None) -> Delivery | None:
    return None if found is None else found.value


def _unknown(word: str) -> Refused:
    return Refused(
        f"there is no message {word!r}", code="unknown_message", next="baton inbox list --all"
    )
