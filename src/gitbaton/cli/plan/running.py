"""What ``plan run`` shows: a bar and who is at work on a terminal, lines elsewhere, or JSON."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from gitbaton.cli.live import LiveScreen
from gitbaton.cli.output import Output, neutralise, one_line
from gitbaton.cli.taskview import since
from gitbaton.core.clock import Clock, parse_rfc3339
from gitbaton.orchestration.events import Kind, PlanEvent
from gitbaton.orchestration.look import Look

_SHOWN: Final = 8  # running phases
_BAR: Final = 40  # columns
_STYLES: Final[dict[Kind, str]] = {
    "done": "green",
    "review": "green",
    "failed": "red",
    "cancelled": "red",
    "alert": "red",
    "blocked": "yellow",
    "waits": "yellow",
    "drift": "yellow",
    "superseded": "yellow",
    "reaped": "yellow",
}
_MINOR: Final = ("rung", "progress")


class PlanScreen(LiveScreen):
    """Shows what an orchestrator tells. Use as a context manager."""

    def __init__(self, output: Output, clock: Clock) -> None:
        super().__init__(output)
        self._clock = clock
        self._look: Look | None = None

    def seen(self, look: Look) -> None:
        """Draw ``look`` from now on."""
        self._look = look
        if self._live is not None:
            self._live.refresh()

    def show(self, event: PlanEvent) -> None:
        """Show one event."""
        out = self._out
        if out.json:
            plain: dict[str, Any] = msgspec.to_builtins(event)
            out.document({"event": plain.pop("kind"), **plain})
        elif event.kind == "progress" and self._live is None and not out.quiet:
            out.say(f"{_time(event)} {event.done} of {event.total} phases done")
        elif event.kind not in _MINOR or out.verbose:
            self._line(event)

    def _line(self, event: PlanEvent) -> None:
        line = event_line(event)
        if self._live is not None:
            self._live.console.print(
                neutralise(line), style=_STYLES.get(event.kind), highlight=False
            )
        else:
            self._out.say(line)

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        look = self._look
        if look is None:
            return Text("looking", style="dim")
        done, total = look.standing.done, look.standing.total
        bar = Table(box=None, pad_edge=False, show_header=False)
        bar.add_row(
            Text(look.chart.name, style="bold"),
            ProgressBar(total=total, completed=done, width=_BAR),
            f"{done} of {total}",
        )
        now = self._clock.now()
        rows = Table(box=None, pad_edge=False, show_header=False)
        running = [task for task in look.phases if task.claim is not None]
        for task in running[:_SHOWN]:
            claim = task.claim
            assert claim is not None, "those are the ones with a claim"
            rows.add_row(task.id, one_line(claim.agent), since(claim.claimed_at, now))
        if len(running) > _SHOWN:
            rows.add_row(f"and {len(running) - _SHOWN} more")
        return Group(bar, rows) if running else bar


def event_line(event: PlanEvent) -> str:
    """Return the event as one line for people, such as ``12:03:44 done  shop.api: on task/…``."""
    where = f" ({event.commit[:10]})" if event.commit else ""
    at = f" at {event.worker}" if event.kind in ("rung", "declined") else ""
    subject = f" {event.task}{at}" if event.task else ""
    text = f": {one_line(event.text)}" if event.text else ""
    then = f"; next: {event.next}" if event.next else ""
    colon = text if subject else text.removeprefix(":")
    return f"{_time(event)} {event.kind:<9}{subject}{colon}{where}{then}"


def _time(event: PlanEvent) -> str:
    return parse_rfc3339(event.at).strftime("%H:%M:%S")
