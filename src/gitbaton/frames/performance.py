"""A worker or a primary at work, as whoever runs it sees it."""

from __future__ import annotations

from typing import Protocol


class Performance(Protocol):
    """Runs in the caller's thread; the two others may be called from signal handlers."""

    def run(self) -> int:
        """Work until it is over; return in how many frames it took part (published or delivered).

        Raises Refused where there is no world or the name is taken.
        """
        ...

    def drain(self) -> None:
        """Finish the frame under way, then end."""
        ...

    def stop(self) -> None:
        """End the streams and leave at once; others take the agents over in the next frame."""
        ...
