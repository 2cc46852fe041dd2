"""What the person sees: numbered acts, one line an event, 80 columns, colour on a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import click

from gitbaton.cli.demo.fleet import Heard
from gitbaton.cli.output import PLAIN_WIDTH, Output, neutralise, one_line

_STYLES: Final = {
    "landed": "green",
    "claimed": "cyan",
    "lost": "red",
    "failed": "red",
    "reaped": "yellow",
    "rescued": "yellow",
    "kept": "yellow",
    "notice": "yellow",
}


@dataclass(slots=True)
class Act:
    """One act: what it is called, and when it began (seconds after the tour)."""

    number: int
    title: str
    began: float


@dataclass(slots=True)
class Narrator:
    """Tells the tour. With ``--json`` only the acts are told, on standard error."""

    out: Output
    acts: list[Act] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the tour has taken."""
        return round(time.monotonic() - self._begun, 1)

    @property
    def where(self) -> str:
        """The act that is being played, for messages."""
        return f"act {self.acts[-1].number}, {self.acts[-1].title}" if self.acts else "set-up"

    def act(self, title: str, words: str = "") -> None:
        """Begin the next act; ``words`` say what to watch for."""
        self.acts.append(Act(len(self.acts) + 1, title, self.seconds))
        heading = f"{len(self.acts)}. {title}"
        if self.out.json:
            self.out.note(heading)
            return
        self.out.raw("\n")
        self._print(heading, bold=True)
        if words:
            self.aside(words)

    def aside(self, words: str, *, style: str | None = None) -> None:
        """Explain something, wrapped to the width."""
        if not self.out.json and not self.out.quiet:
            text = click.wrap_text(
                neutralise(words), PLAIN_WIDTH, initial_indent="   ", subsequent_indent="   "
            )
            self._print(text, fg=style, dim=style is None)

    def line(self, text: str, *, style: str | None = None) -> None:
        """Tell one thing that happened, cut to the width."""
        if not self.out.json and not self.out.quiet:
            cut = text if len(text) <= PLAIN_WIDTH - 3 else text[: PLAIN_WIDTH - 4] + "…"
            self._print(f"   {neutralise(cut)}", fg=style)

    def command(self, words: str) -> None:
        """Show a command that is run now."""
        self.line(f"$ {words}", style="bright_blue")

    def block(self, text: str, *, lines: int) -> None:
        """Show the first ``lines`` lines of a text."""
        shown = text.splitlines()
        for each in shown[:lines]:
            self.line(each)
        if len(shown) > lines:
            self.line(f"… and {len(shown) - lines} more")

    def hear(self, heard: Heard) -> None:
        """Tell an event of the fleet."""
        if heard.kind not in _STYLES or heard.task is None:
            return
        slot = f"#{heard.slot}" if heard.slot else ""
        text = one_line(heard.text)
        if heard.kind == "claimed" and heard.epoch and heard.epoch > 1:
            text = f"{text} (epoch {heard.epoch})"
        if heard.commit:
            text = f"{text} ({heard.commit[:8]})"
        task = f"{heard.task}: " if heard.task else ""
        self.line(f"{heard.who + slot:<13} {heard.kind:<8} {task}{text}", style=_STYLES[heard.kind])

    def verdict(self, name: str, detail: str, *, ok: bool) -> None:
        """Tell one result of the verification."""
        if self.out.quiet and ok:
            return
        if not self.out.json:
            self._print(f"   {'✓' if ok else '✗'} {name}", fg="green" if ok else "red")
            for each in detail.splitlines() if detail and not ok else ():
                self.line(f"    {each}", style="red")

    def _print(
        self, text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False
    ) -> None:
        out = self.out
        colored = (
            out.color
            and out.stdout.isatty()
            and not out.env.get("NO_COLOR")
            and out.env.get("TERM") != "dumb"
        )
        styled = click.style(text, fg=fg, bold=bold or None, dim=dim or None) if colored else text
        out.raw(styled + "\n")
