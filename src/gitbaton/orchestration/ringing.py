"""Rings doorbells, a thread for each inbox: one that is cut off keeps nobody else waiting.

A bell is rung until it is answered or taken back; the inbox knows a copy by its id, and gives it
the first one's response.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol, Self

from gitbaton.core.errors import BatonError
from gitbaton.plans.doorbell import Answer, Bell, parse_answer
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.model import Receipt
from gitbaton.plans.registry.record import Address

_AGAIN: Final = 1.0  # seconds between two questions whether there is an answer
_LONGEST: Final = 30.0  # seconds; pauses double while an inbox is out of reach
_GOODBYE: Final = 2.0  # seconds that the end waits for each thread


class OpenInbox(Protocol):
    """An inbox and the way to it. Close it when done."""

    @property
    def inbox(self) -> Inbox: ...
    def close(self) -> None: ...


Open = Callable[[Address], OpenInbox]
"""Opens the inbox of the machine at an address; connects nowhere before the first use."""


class Ringer(Protocol):
    """How an orchestrator rings; nothing of this waits for a network."""

    def ring(self, bell: Bell, address: Address) -> None:
        """Ring ``bell`` at the worker that is reached at ``address``, soon."""
        ...

    def keep(self, bells: frozenset[Bell]) -> None:
        """Take all other bells back: nobody waits for their answers any more."""
        ...

    def answers(self) -> list[tuple[Bell, Answer]]:
        """Return the answers that came since the last call."""
        ...

    def troubles(self) -> list[str]:
        """Return why inboxes could not be reached, since the last call."""
        ...


class InboxRinger:
    """Rings at inboxes that ``open`` opens. ``wake`` is called when there is an answer.

    Use as a context manager. Thread-safe.
    """

    def __init__(self, open: Open, wake: Callable[[], None]) -> None:
        self._open, self._wake = open, wake
        self._desks: dict[Address, _Desk] = {}
        self._answers: list[tuple[Bell, Answer]] = []
        self._troubles: list[str] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for desk in self._desks.values():
            desk.end()
        for desk in self._desks.values():
            desk.join(_GOODBYE)

    def ring(self, bell: Bell, address: Address) -> None:
        desk = self._desks.get(address)
        if desk is None:
            desk = self._desks[address] = _Desk(self._open, address, self._heard, self._failed)
            desk.start()
        desk.add(bell)

    def keep(self, bells: frozenset[Bell]) -> None:
        for desk in self._desks.values():
            desk.keep(bells)

    def answers(self) -> list[tuple[Bell, Answer]]:
        with self._lock:
            found, self._answers = self._answers, []
        return found

    def troubles(self) -> list[str]:
        with self._lock:
            found, self._troubles = self._troubles, []
        return found

    def _heard(self, bell: Bell, answer: Answer) -> None:
        with self._lock:
            self._answers.append((bell, answer))
        self._wake()

    def _failed(self, trouble: str) -> None:
        with self._lock:
            self._troubles.append(trouble)


class _Desk(threading.Thread):
    """Rings at one inbox."""

    def __init__(
        self,
        open: Open,
        address: Address,
        heard: Callable[[Bell, Answer], None],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__(name=f"bells {address.host}", daemon=True)
        self._open, self._address = open, address
        self._heard, self._failed = heard, failed
        self._bells: set[Bell] = set()
        self._changed = threading.Condition()
        self._ending = False

    def add(self, bell: Bell) -> None:
        with self._changed:
            self._bells.add(bell)
            self._changed.notify()

    def keep(self, bells: frozenset[Bell]) -> None:
        with self._changed:
            self._bells &= bells

    def end(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify()

    def run(self) -> None:
        inbox: OpenInbox | None = None
        pause, told = _AGAIN, ""
        try:
            while bells := self._next():
                try:
                    inbox = inbox or self._open(self._address)
                    self._ring(inbox.inbox, bells)
                    pause, told = _AGAIN, ""
                except BatonError as error:
                    pause = min(2 * pause, _LONGEST)
                    if error.message != told:
                        told = error.message
                        self._failed(f"the inbox at {self._address.host}: {told}")
                with self._changed:
                    self._changed.wait_for(lambda: self._ending or self._news(bells), pause)
        finally:
            if inbox is not None:
                inbox.close()

    def _next(self) -> frozenset[Bell] | None:
        """Wait for something to ring; return it, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._bells)
            return None if self._ending else frozenset(self._bells)

    def _news(self, before: frozenset[Bell]) -> bool:
        return bool(self._bells - before)

    def _ring(self, inbox: Inbox, bells: frozenset[Bell]) -> None:
        """Send ``bells``, again or for the first time, and pass on the answers."""
        order = sorted(bells, key=lambda bell: bell.id)
        trouble: BatonError | None = None
        for bell, fate in zip(
            order, inbox.send_all([b.draft(self._address.path) for b in order]), strict=True
        ):
            if not isinstance(fate, Receipt):
                trouble = fate
            elif fate.response is not None:
                with self._changed:
                    self._bells.discard(bell)
                self._heard(bell, parse_answer(fate.response.text))
        if trouble is not None:
            raise trouble
