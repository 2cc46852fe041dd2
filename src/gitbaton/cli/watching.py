"""What ``work`` shows: live slots on a terminal, plain lines elsewhere, JSON with ``--json``."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from gitbaton.cli.live import LiveScreen
from gitbaton.cli.output import Output, one_line
from gitbaton.core.clock import parse_rfc3339
from gitbaton.work.events import Kind, WorkEvent

_STYLES: dict[Kind, str] = {
    "landed": "green",
    "review": "green",
    "failed": "red",
    "lost": "red",
    "blocked": "yellow",
    "rescued": "yellow",
    "kept": "yellow",
    "queued": "yellow",
    "reaped": "yellow",
}


class WorkScreen(LiveScreen):
    """Shows a worker's events. Thread-safe; use as a context manager."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._lock = threading.Lock()
        self._slots: dict[int, tuple[str, str, float]] = {}
        self._idle = "looking for ready tasks"

    def show(self, event: WorkEvent) -> None:
        """Show one event."""
        with self._lock:
            if self._out.json:
                self._out.document(msgspec.to_builtins(_document(event)))
                return
            self._follow(event)
            if event.kind in ("working", "output") and not self._out.verbose:
                if self._live is not None:
                    self._live.refresh()
                return
            if self._out.quiet and event.kind in ("started", "ended", "claimed", "waiting"):
                return
            line = _line(event)
            if self._live is not None:
                self._live.console.print(line, style=_STYLES.get(event.kind), highlight=False)
            else:
                self._out.say(line)

    def _follow(self, event: WorkEvent) -> None:
        """Keep what each slot is doing."""
        if event.kind == "waiting":
            self._idle = one_line(event.text)
        if event.slot is None or event.task is None:
            return
        since = parse_rfc3339(event.at).timestamp()
        if event.kind == "claimed":
            self._slots[event.slot] = (event.task, "claimed", since)
        elif event.kind in ("working", "output") and event.slot in self._slots:
            task, _, begun = self._slots[event.slot]
            self._slots[event.slot] = (task, one_line(event.text), begun)
        elif event.kind in ("landed", "review", "failed", "lost", "blocked", "released", "queued"):
            self._slots.pop(event.slot, None)

    def _picture(self) -> Any:
        import time

        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        slots = self._slots.copy()  # another thread draws, and it must not wait for ours
        for number, (task, doing, begun) in sorted(slots.items()):
            minutes, seconds = divmod(max(0, int(time.time() - begun)), 60)
            table.add_row(
                Text(f"#{number}", style="dim"),
                Text(task, style="bold", no_wrap=True),
                f"{minutes}:{seconds:02}",
                Text(doing, no_wrap=True, overflow="ellipsis"),
            )
        if not slots:
            table.add_row(Text(f"… {self._idle}", style="dim", no_wrap=True, overflow="ellipsis"))
        return table


def _document(event: WorkEvent) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(event)
    return {"event": plain.pop("kind"), **plain}


def _line(event: WorkEvent) -> str:
    """Return the event as one line for people, e.g. ``12:03:44 #2 landed    fix-x  on main``."""
    clock = parse_rfc3339(event.at).strftime("%H:%M:%S")
    slot = f"#{event.slot}" if event.slot is not None else "  "
    subject = f"{event.task}: " if event.task else ""
    commit = f" ({event.commit[:10]})" if event.commit else ""
    log = f" [log: {event.log}]" if event.log and event.kind == "failed" else ""
    return f"{clock} {slot} {event.kind:<8} {subject}{one_line(event.text)}{commit}{log}"
