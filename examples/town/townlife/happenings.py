"""What befalls the whole town on a day: the weather, the fair, the ferry."""

from __future__ import annotations

from typing import Final, NamedTuple

from .chance import Dice
from .places import HOURS, day_of, hour_of


class Happening(NamedTuple):
    """One happening: its headline, the hour, where people go to see it, what it does to them."""

    headline: str
    hour: str
    place: str
    cheer: int
    pull: float


HAPPENINGS: Final = (
    Happening("Kite Day: the whole sky is taken", "afternoon", "hill", 6, 0.55),
    Happening("A concert at the Bandstand", "evening", "bandstand", 7, 0.6),
    Happening("Storm from the west; boats stay in", "morning", "inn", -5, 0.45),
    Happening("Market day, with a dancing goose", "noon", "market", 5, 0.6),
    Happening("Shooting stars above Kite Hill", "night", "hill", 6, 0.45),
    Happening("The herring are in", "dawn", "harbour", 4, 0.4),
    Happening("Fog so thick that the mill got lost", "morning", "square", -3, 0.2),
    Happening("The lighthouse lamp is out", "evening", "lighthouse", -2, 0.35),
    Happening("Plum cake for everybody at the Bakery", "noon", "bakery", 6, 0.5),
)


def happening_of(seed: str, frame: int) -> Happening | None:
    """Return what happens in the town in this frame, if anything. There is one a day."""
    happening = Dice(seed, "day", day_of(frame)).pick(HAPPENINGS)
    return happening if happening.hour == hour_of(frame) else None


def ferry_comes(frame: int) -> bool:
    """Say whether the ferry brings newcomers, and takes along who wants to leave."""
    return frame > 0 and HOURS[frame % len(HOURS)] == "noon"
