"""One queue for a worker: the inbox of its machine, and the files that lead into it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.inbox.bells import Bell
from gitbaton.plans.inbox.feed import Feed, Pulled
from gitbaton.plans.inbox.inbox import KEEP, Inbox
from gitbaton.plans.inbox.model import Delivery, Message

_PRUNE: Final = 3600.0  # seconds


class Drain:
    """Hands out the messages for one reader, from all sources. Not for two threads at once.

    ``boxes``: see ``rules.boxes``. ``told``: hears of what a file held, and of files that cannot be
    read; nothing of that stops the messages. ``keep``: seconds for which answered messages of an
    inbox of our own are kept. ``history``: likewise for what became of them; None: it is not cut.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        reader: str,
        boxes: Collection[str],
        lease: float,
        clock: Clock,
        bell: Bell,
        feeds: Sequence[Feed] = (),
        told: Callable[[Feed, Pulled | BatonError], None] = lambda feed, what: None,
        keep: float = KEEP,
        history: float | None = None,
    ) -> None:
        self.inbox = inbox
        self._reader, self._boxes, self._lease = reader, boxes, lease
        self._clock, self._bell = clock, bell
        self._feeds, self._told = feeds, told
        self._keep, self._history, self._next_prune = keep, history, clock.elapsed()

    def next_message(
        self,
        *,
        timeout: float = 0.0,
        should_stop: Callable[[], bool] = lambda: False,
        wanted: Callable[[Delivery], bool] = lambda delivery: True,
    ) -> Message | None:
        """Return the next message, now in the reader's hands; None if none came in ``timeout``.

        What is not ``wanted`` is left where it is.
        Every look begins with the files. ``should_stop`` is asked after each, at the latest every
        ``bells.LOOK`` seconds. Raises what the inbox raises.
        """
        end = self._clock.elapsed() + timeout
        while True:
            self._bell.arm()
            self.pull()
            self._prune()
            message = self.inbox.take(self._reader, self._boxes, lease=self._lease, wanted=wanted)
            left = end - self._clock.elapsed()
            if message is not None or left <= 0 or should_stop():
                return message
            self._bell.wait(left)

    def has_news(self) -> bool:
        """Tell whether something may have come since the last look. Costs next to nothing."""
        return self._bell.rung()

    def pull(self) -> None:
        """Send on what is new in the files."""
        for feed in self._feeds:
            try:
                pulled = feed.pull()
            except BatonError as error:
                self._told(feed, error)
                continue
            if pulled != Pulled():
                self._told(feed, pulled)

    def _prune(self) -> None:
        """Forget what is old, once an hour at most, also where there is always a message."""
        now = self._clock.elapsed()
        if self.inbox.own and now >= self._next_prune:
            self._next_prune = now + _PRUNE
            self.inbox.prune(keep=self._keep)
            if self._history is not None:
                self.inbox.cut_history(keep=self._history)

    def close(self) -> None:
        """Close the files; the inbox is its owner's to close."""
        for feed in self._feeds:
            feed.close()
