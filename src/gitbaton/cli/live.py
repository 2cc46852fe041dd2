"""What stays at the foot of a terminal while something runs; nothing elsewhere, or with --json."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from gitbaton.cli.output import Output


class LiveScreen(ABC):
    """A screen with a picture at its foot. Use as a context manager."""

    def __init__(self, output: Output) -> None:
        self._out = output
        self._live: Any = None  # None: no terminal, or nobody wants it

    def __enter__(self) -> Self:
        if self._out.stdout.isatty() and not self._out.json and not self._out.quiet:
            self._live = _display(self._out, self._picture)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    @abstractmethod
    def _picture(self) -> Any:
        """Return what is drawn, for rich; asked for again and again, by a thread of its own."""


def _display(out: Output, picture: Any) -> Any:
    """Return what keeps ``picture()`` at the foot of the terminal, to be started and stopped."""
    from rich.console import Console
    from rich.live import Live

    colored = out.color and not out.env.get("NO_COLOR")
    console = Console(
        file=out.stdout,
        color_system="auto" if colored else None,
        markup=False,
        highlight=False,
        emoji=False,
        _environ=dict(out.env),
    )
    return Live(console=console, get_renderable=picture, refresh_per_second=4, transient=True)
