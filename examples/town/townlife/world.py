"""The world as a stream sees it: a directory of JSON documents that is never written to."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any


class World:
    """The documents of one frame. Each is read when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def town(self) -> dict[str, Any]:
        """The town itself: its seed, its banner, its records."""
        return self._read("town.json")

    @cached_property
    def people(self) -> dict[str, Any]:
        """Everybody who ever lived here: id -> name, trade, work, home and temper."""
        return self._read("people.json")

    @cached_property
    def positions(self) -> dict[str, str]:
        """Where everybody is: id -> place."""
        return self._read("positions.json")

    @cached_property
    def purses(self) -> dict[str, int]:
        """What everybody owns, and the treasury: id -> gold."""
        return self._read("purses.json")

    @cached_property
    def mood(self) -> dict[str, int]:
        """How everybody feels: id -> 0 (miserable) to 100 (delighted), or a little beyond."""
        return self._read("mood.json")

    @cached_property
    def market(self) -> dict[str, Any]:
        """What is for sale, and what it costs."""
        return self._read("market.json")

    @cached_property
    def threads(self) -> list[dict[str, Any]]:
        """The threads of the forum, oldest first."""
        threads: list[dict[str, Any]] = self._read("forum.json")["threads"]
        return threads

    @cached_property
    def bookings(self) -> dict[str, str]:
        """Who plays at the Bandstand: day -> id."""
        bookings: dict[str, str] = self._read("bandstand.json")["bookings"]
        return bookings

    def at(self, place: str) -> list[str]:
        """Return who is at that place."""
        return [who for who, where in sorted(self.positions.items()) if where == place]

    def _read(self, name: str) -> Any:
        return json.loads((self._directory / name).read_text(encoding="utf-8"))
