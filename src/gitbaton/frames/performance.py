"""A worker or a primary at work, as whoever runs it sees it; and the primary without streams."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.news import Listener, News, counted
from gitbaton.frames.rounds import Rounds
from gitbaton.frames.stage import View


class Performance(Protocol):
    """Runs in the caller's thread; the two others may be called from signal handlers."""

    def run(self) -> int:
        """Work until it is over; return in how many frames it took part (published or delivered).

        Raises Refused where there is no world or the name is taken.
        """
        ...

    @property
    def in_vain(self) -> bool:
        """Whether streams have run, and none of them ended well."""
        ...

    def drain(self) -> None:
        """Finish the frame under way, then end."""
        ...

    def stop(self) -> None:
        """End the streams and leave at once; others take the agents over in the next frame."""
        ...


class Lead:
    """A primary that runs no agents: it takes the lease when it is free, and closes frames."""

    def __init__(
        self, attendant: Attendant, rounds: Rounds, listener: Listener, *, frames: int | None
    ) -> None:
        """``frames``: end when the world is so many frames further, whoever published them."""
        self._attendant = attendant
        self._rounds = rounds
        self._listener = listener
        self._frames = frames
        self._first: int | None = None
        self._latest = 0

    def run(self) -> int:
        """Lead until it is over; return how many frames it published."""
        try:
            self._rounds.run(until=self._is_over)
        finally:
            with suppress(RemoteUnreachable):  # then the lease runs out
                self._attendant.leave()
        published = self._attendant.published
        self._listener(News("stopped", 0, f"published {counted(published, 'frame')}"))
        return published

    @property
    def in_vain(self) -> bool:
        """It has no streams that could fail."""
        return False

    def drain(self) -> None:
        """End after the step under way: a frame is published whole or not at all."""
        self._rounds.stop()

    def stop(self) -> None:
        """The same: there are no streams to end."""
        self._rounds.stop()

    def _is_over(self, view: View) -> bool:
        if self._first is None:
            self._first = view.scene.number
        if view.scene.number > self._latest:
            self._latest = view.scene.number
            self._attendant.stage.tidy()
        return self._frames is not None and view.scene.number >= self._first + self._frames
