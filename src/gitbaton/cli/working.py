"""What ``work`` and ``worker serve`` have in common: how to work, and when to end in order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import click

from gitbaton.cli.fields import DURATION
from gitbaton.cli.output import AnswerLost
from gitbaton.cli.verb import compose

EventT = TypeVar("EventT")

work_options = compose(
    click.option("--agent", metavar="PROFILE|CMD", help="Who works: a profile, or any command."),
    click.option(
        "--jobs", type=click.IntRange(1, 256), metavar="N", help="Tasks at the same time."
    ),
    click.option("--land", type=click.Choice(["branch", "merge"]), help="How results land."),
    click.option("--review", is_flag=True, help="Publish for review instead of finishing."),
    click.option("--check", "checks", multiple=True, metavar="CMD", help="Must succeed to land."),
    click.option("--setup", multiple=True, metavar="CMD", help="Run first in each fresh worktree."),
    click.option("--timeout", type=DURATION, metavar="D", help="How long an attempt may take."),
    click.option("--lease", type=DURATION, metavar="D", help="How long a claim lasts unrenewed."),
    click.option(
        "--cap", "capabilities", multiple=True, metavar="CAP", help="Something it can do."
    ),
)
"""The options of everything that works. They are the fields of ``workshop.Wishes``."""


class Endable(Protocol):
    """Something that runs until it is told to end; both may be called from a signal handler."""

    def drain(self) -> None:
        """Finish what is under way, then end."""
        ...

    def stop(self) -> None:
        """End at once."""
        ...


@contextmanager
def draining_on_signals(worker: Endable) -> Iterator[list[int]]:
    """Drain on the first SIGINT; stop on the second, and on SIGTERM. Gives the signals received.

    The handler only sets flags: the loop and the slots look at them a few times a second.
    """
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        if len(received) == 1 and number == signal.SIGINT:
            worker.drain()
        else:
            worker.stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Audience(Generic[EventT]):
    """Who hears of the work. When they hear no more the worker ends as it does when told to:
    what runs is stopped, saved and given back. Told from any thread.
    """

    def __init__(self, show: Callable[[EventT], None]) -> None:
        self._show = show
        self._worker: Endable | None = None
        self._lost: AnswerLost | None = None

    def tell(self, event: EventT) -> None:
        """Pass ``event`` on, while it is heard."""
        if self._lost is not None:
            return
        try:
            self._show(event)
        except AnswerLost as lost:
            self._lost = lost
            if self._worker is not None:
                self._worker.stop()

    @contextmanager
    def following(self, worker: Endable) -> Iterator[None]:
        """Have ``worker`` ended when nobody hears of it; raise AnswerLost when it has ended."""
        self._worker = worker
        if self._lost is not None:
            worker.stop()
        yield
        if self._lost is not None:
            raise self._lost
