"""A worker's slots: each runs one assignment at a time, and none of them can take it down."""

from __future__ import annotations

import traceback

from gitbaton.core.errors import BatonError
from gitbaton.tasks.claims import Claimed
from gitbaton.work.assignment import Assignment
from gitbaton.work.crew import Crew
from gitbaton.work.record import claim_name


class Slots:
    """Runs assignments for a worker (``work.shift.Slot``)."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._reason: str | None = None

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Run one claim to its end. A bug costs the attempt (upkeep ends it), not the worker.

        Raises CannotWork when no agent can be started here.
        """
        try:
            return Assignment(self._crew, claimed, slot, lambda: self._reason).run()
        except BatonError:
            raise
        except Exception as bug:  # noqa: BLE001 - the end of this thread
            name = claim_name(claimed.task.id, claimed.token.epoch)
            report = self._crew.logs / f"{name}.bug.log"
            report.write_text("".join(traceback.format_exception(bug)), encoding="utf-8")
            self._crew.tell(
                "failed",
                f"a bug in baton: {type(bug).__name__}: {bug}",
                slot=slot,
                task=claimed.task.id,
                epoch=claimed.token.epoch,
                log=str(report),
            )
            return False

    def stop(self, reason: str) -> None:
        """End every running agent; its work is saved and its task released.

        It only sets flags that are looked at a few times a second: signal handlers may call it.
        """
        self._reason = reason
        self._crew.company.close()
