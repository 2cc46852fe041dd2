"""What ``frame work`` and ``frame primary`` show: the frame under way, and a line an event."""

from __future__ import annotations

import threading
from typing import Any, Final

from gitbaton.cli.live import LiveScreen
from gitbaton.cli.output import Output, neutralise, one_line
from gitbaton.core.clock import Clock, rfc3339
from gitbaton.frames.news import Kind, News

_STYLES: Final[dict[Kind, str]] = {
    "published": "green",
    "delivered": "cyan",
    "primary": "bold",
    "late": "yellow",
    "deposed": "yellow",
    "offline": "yellow",
    "stream": "yellow",
    "trouble": "red",
    "refused": "red",
}
_MINOR: Final = frozenset({"waiting", "idle"})
"""Shown as lines with ``--verbose`` only, else at the foot of a terminal."""


class FrameScreen(LiveScreen):
    """Shows what a worker or a primary tells. Thread-safe; use as a context manager."""

    def __init__(self, output: Output, clock: Clock) -> None:
        super().__init__(output)
        self._clock = clock
        self._lock = threading.Lock()
        self._frame: int | None = None
        self._doing = "looking for the world"
        self._since = clock.elapsed()
        self._primary = False
        self._told = ""

    def show(self, news: News) -> None:
        """Show one piece of news."""
        with self._lock:
            if self._out.json:
                self._out.document(news_document(news, self._clock))
                return
            self._follow(news)
            if news.kind in _MINOR and not self._out.verbose:
                if self._live is not None:
                    self._live.refresh()
                return
            if self._out.quiet and news.kind not in ("trouble", "refused", "offline"):
                return
            told = news_line(news)
            if news.kind == "offline" and told == self._told:
                return  # two of our threads may find it out at the same time
            self._told = told
            line = f"{self._clock.now():%H:%M:%S} {told}"
            if self._live is not None:
                self._live.console.print(
                    neutralise(line), style=_STYLES.get(news.kind), highlight=False
                )
            else:
                self._out.say(line)

    def _follow(self, news: News) -> None:
        """Keep what is under way, for the foot of the terminal."""
        if news.kind in ("primary", "deposed"):
            self._primary = news.kind == "primary"
        self._doing = _words(news)
        if news.frame != self._frame:
            self._frame, self._since = news.frame, self._clock.elapsed()

    def _picture(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        frame = "…" if self._frame is None else f"frame {self._frame}"
        seconds = max(0, int(self._clock.elapsed() - self._since))
        table.add_row(
            Text(frame, style="bold"),
            f"{seconds // 60}:{seconds % 60:02}",
            Text("primary" if self._primary else "", style="green"),
            Text(self._doing, no_wrap=True, overflow="ellipsis"),
        )
        return table


def news_document(news: News, clock: Clock) -> dict[str, Any]:
    """Return the news as one line of JSON says it."""
    said = {"event": news.kind, "at": rfc3339(clock.now()), "frame": news.frame, "text": news.text}
    return said | {"detail": dict(news.detail)}


def news_line(news: News) -> str:
    """Return the news in words, such as ``frame 12 published  5 deltas merged``."""
    text = _words(news)
    text = "" if text == news.kind else text
    if news.kind == "stream":
        text += f"; what it printed: {news.detail['log']}"
    where = f"frame {news.frame}" if news.kind != "stopped" else ""
    return f"{where:<10} {news.kind:<9} {text}".rstrip()


def _words(news: News) -> str:
    return one_line(news.text).removeprefix(f"frame {news.frame}: ")
