"""The twenty tasks of the tour: the rooms of a small adventure, each behind another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

RACE: Final = "poster"  # six want it at once
DOOMED: Final = "lighthouse"  # its first worker is killed
LATE: Final = "chapel"  # its first result comes too late
GATED: Final = "crypt"  # waits for a person
LAST: Final = "map"  # needs everything else


@dataclass(frozen=True, slots=True)
class Errand:
    """One task: what an agent is to write, and what has to be there before."""

    id: str
    title: str
    lines: tuple[str, ...]
    needs: tuple[str, ...] = ()
    priority: int = 2
    gate: str | None = None

    def draft(self) -> dict[str, object]:
        """Return the task as one line of ``baton add --from``."""
        told: dict[str, object] = {
            "id": self.id,
            "title": self.title,
            "body": "\n".join(self.lines),
            "priority": self.priority,
            "needs": list(self.needs),
            "labels": ["lantern-bay"],
        }
        return told | ({"gate": self.gate} if self.gate else {})


def write_script(errands: Iterable[Errand]) -> str:
    """Return tasks as JSON lines."""
    return "".join(json.dumps(errand.draft()) + "\n" for errand in errands)


def _room(
    id: str,
    title: str,
    text: str,
    *,
    at: str | None = None,
    go: str = "",
    priority: int = 2,
    gate: str | None = None,
) -> Errand:
    lines = [f"File: rooms/{id}.json", f"Title: {title}", f"Text: {text}"]
    if at is not None:
        lines += [f"From: {at}", f"Go: {go}"]
    needs = (at,) if at is not None else ()
    return Errand(id, title, tuple(lines), needs, priority, gate)


_ROOMS: Final = (
    _room(
        "harbour",
        "The harbour",
        "Salt, rope and gulls. A boat with no name has been waiting here since morning.",
        priority=0,
    ),
    _room(
        "square",
        "The square",
        "Six lanterns on six poles. Somebody lights them every evening; nobody has seen who.",
        at="harbour",
        go="north",
        priority=0,
    ),
    _room(
        "cliffs",
        "The cliff path",
        "A narrow path, and the sea a long way down. The wind takes your hat.",
        at="harbour",
        go="west",
        priority=0,
    ),
    _room(
        DOOMED,
        "The lighthouse",
        "Two hundred steps. The keeper before you stopped in the middle of a sentence.",
        at="cliffs",
        go="up",
        priority=0,
    ),
    _room(
        LATE,
        "The chapel",
        "The bell rings late, and the sermon has been given by somebody else.",
        at="harbour",
        go="south",
        priority=0,
    ),
    _room(
        "jetty",
        "The jetty",
        "Planks that complain. At the far end a boy fishes for compliments.",
        at="harbour",
        go="east",
    ),
    _room(
        "beach",
        "The beach",
        "Driftwood, and footprints that lead into the water, one pair.",
        at="jetty",
        go="down",
    ),
    _room(
        "cave",
        "The cave",
        "It says everything twice. It says everything twice.",
        at="beach",
        go="in",
    ),
    _room(
        "wreck",
        "The wreck",
        "The Compare-and-Swap, lost with all hands but one. The cargo is accounted for.",
        at="beach",
        go="south",
    ),
    _room(
        "market",
        "The market",
        "Fish, needles, news. The same fish is never sold twice; they are proud of that.",
        at="square",
        go="east",
    ),
    _room(
        "tavern",
        "The tavern",
        "The Atomic Push. One door, one table, and either everybody gets soup or nobody.",
        at="square",
        go="west",
    ),
    _room(
        "cellar",
        "The tavern's cellar",
        "Barrels, each with a number that only ever goes up.",
        at="tavern",
        go="down",
    ),
    _room(
        "meadow",
        "The meadow",
        "Grass to the knees, and a single bench that looks inland.",
        at="cliffs",
        go="north",
    ),
    _room(
        "mill",
        "The mill",
        "It turns without wind, a third of a turn at a time, so that nobody forgets it.",
        at="meadow",
        go="north",
    ),
    _room(
        "graveyard",
        "The graveyard",
        "Every name on every stone is still readable. Somebody sees to it.",
        at=LATE,
        go="east",
    ),
    _room(
        GATED,
        "The crypt",
        "The mayor has the key. The mayor was asked.",
        at="square",
        go="down",
        gate="mayor",
    ),
    _room(
        "lamp",
        "The lamp room",
        "Glass, brass, and a light that goes to one ship at a time.",
        at=DOOMED,
        go="up",
    ),
    _room(
        "treasure",
        "The treasure",
        "A stick, worn smooth by many hands. It was never in two of them at once.",
        at=GATED,
        go="in",
    ),
)

_POSTER: Final = Errand(
    RACE,
    "The poster of the boat race",
    ("File: POSTER.md", "Title: The great boat race", "Text: Six boats start. One wins."),
)

_MAP: Final = Errand(
    LAST,
    "A map of the village",
    ("File: MAP.md", "Run: play.py --map"),
    tuple(room.id for room in _ROOMS if room.id not in {r for x in _ROOMS for r in x.needs}),
)

_AFTERTHOUGHTS: Final = (LATE, "graveyard")

ERRANDS: Final = (*_ROOMS, _POSTER, _MAP)
FIRST: Final = tuple(e for e in ERRANDS if e.id not in (*_AFTERTHOUGHTS, LAST))
LATER: Final = tuple(e for e in ERRANDS if e not in FIRST)
