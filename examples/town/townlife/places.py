"""Where things are in Lantern Bay, and what hour it is.

The map is 1000 wide and 640 high; x grows to the east, y to the south.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """One place: what it is called, where it is, and what is drawn there."""

    title: str
    x: int
    y: int
    kind: str


PLACES: Final[dict[str, Place]] = {
    "harbour": Place("Harbour", 742, 452, "harbour"),
    "lighthouse": Place("Lighthouse", 905, 318, "lighthouse"),
    "market": Place("Market", 496, 352, "market"),
    "square": Place("Town Square", 398, 262, "square"),
    "bakery": Place("Bakery", 306, 352, "shop"),
    "inn": Place("The Lantern Inn", 606, 424, "inn"),
    "school": Place("School", 262, 176, "school"),
    "library": Place("Library", 516, 206, "library"),
    "mill": Place("Windmill", 118, 216, "mill"),
    "gardens": Place("Gardens", 168, 420, "gardens"),
    "workshop": Place("Workshops", 652, 268, "workshop"),
    "hill": Place("Kite Hill", 700, 108, "hill"),
    "bandstand": Place("Bandstand", 404, 470, "bandstand"),
    "old-town": Place("Old Town", 150, 318, "homes"),
    "hillside": Place("Hillside", 408, 100, "homes"),
    "fishers-row": Place("Fishers' Row", 560, 542, "homes"),
}

ROADS: Final = (
    ("old-town", "bakery"),
    ("old-town", "mill"),
    ("old-town", "gardens"),
    ("bakery", "square"),
    ("bakery", "market"),
    ("bakery", "gardens"),
    ("square", "school"),
    ("square", "library"),
    ("square", "market"),
    ("square", "hillside"),
    ("school", "mill"),
    ("school", "hillside"),
    ("library", "hill"),
    ("library", "workshop"),
    ("market", "inn"),
    ("market", "workshop"),
    ("market", "bandstand"),
    ("gardens", "bandstand"),
    ("bandstand", "fishers-row"),
    ("inn", "fishers-row"),
    ("inn", "harbour"),
    ("workshop", "hill"),
    ("workshop", "lighthouse"),
    ("harbour", "lighthouse"),
)

HOMES: Final = ("old-town", "hillside", "fishers-row")
SOCIAL: Final = ("inn", "square", "bandstand", "market")

HOURS: Final = ("dawn", "morning", "noon", "afternoon", "evening", "night")
"""A day is six frames long."""


def hour_of(frame: int) -> str:
    """Return the hour that the frame stands for."""
    return HOURS[frame % len(HOURS)]


def day_of(frame: int) -> int:
    """Return the day, from 1."""
    return frame // len(HOURS) + 1
