"""What an orchestrator does after each look, besides reaping: as every worker does, or could."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.orchestration.look import Look
from gitbaton.orchestration.plight import own_outlook, shared_outlook
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.health.rules import Limits, Outlook, judge
from gitbaton.tasks.model import Status

_RENEWAL: Final = 300.0  # seconds between two looks at what protects people


class Housekeeping:
    """Settles what others left half way, reads the gates' rules again, and tells people.

    ``shared``: what was told from this clone, whoever told it; ``own``: of this plan only.
    ``settle`` returns sentences; ``raise_alarm`` gets each thing once.
    """

    def __init__(
        self,
        *,
        shared: Alarms,
        own: Alarms,
        limits: Limits,
        clock: Clock,
        settle: Callable[[], list[str]],
        renew_protection: Callable[[], None],
        raise_alarm: Callable[[News], None],
    ) -> None:
        self._shared, self._own, self._limits, self._clock = shared, own, limits, clock
        self._settle, self._renew_protection = settle, renew_protection
        self._raise_alarm = raise_alarm
        self._renewed = clock.elapsed()

    def __call__(self, look: Look) -> Iterator[str]:
        """Do it; yield what there is to tell. Raises RemoteUnreachable."""
        for step in (self._finish, self._renew, self._warn):
            try:
                yield from step(look)
            except RemoteUnreachable:
                raise
            except BatonError as error:
                yield error.message

    def _finish(self, look: Look) -> Iterator[str]:
        """Finish landings in two steps and merged reviews, where there may be any."""
        live = look.view.live.values()
        if look.view.moves or any(t.landing or t.status is Status.REVIEW for t in live):
            yield from self._settle()

    def _renew(self, look: Look) -> Iterator[str]:
        if self._clock.elapsed() - self._renewed >= _RENEWAL:
            self._renewed = self._clock.elapsed()
            self._renew_protection()
        return iter(())

    def _warn(self, look: Look) -> Iterator[str]:
        yield from self._judge(self._shared, shared_outlook(look))
        yield from self._judge(self._own, own_outlook(look))

    def _judge(self, alarms: Alarms, outlook: Outlook) -> Iterator[str]:
        judgement = judge(outlook, self._limits, self._clock.now())
        return (news.text for news in alarms.update(judgement, self._raise_alarm))
