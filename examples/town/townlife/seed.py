"""The town before the first frame: its documents, and which rule merges what."""

from __future__ import annotations

from typing import Any, Final

from .places import PLACES
from .residents import make_resident, resident_id
from .words import WARES

TREASURY: Final = "treasury"
PURSE: Final = 20
"""What each resident owns at first. Gold is neither made nor lost afterwards."""


RULES: Final = [
    {"doc": "purses.json", "path": "/*", "use": "sum"},
    {"doc": "mood.json", "path": "/*", "use": "sum"},
    {"doc": "market.json", "path": "/stock/*", "use": "sum"},
    {"doc": "market.json", "path": "/price/*", "use": "min"},
    {"doc": "town.json", "path": "/highest_kite", "use": "max"},
    {"doc": "town.json", "path": "/coldest_night", "use": "min"},
    {"doc": "town.json", "path": "/festival", "use": "union"},
    {"doc": "news.json", "path": "/headlines", "use": "append", "key": "day"},
    {"doc": "forum.json", "path": "/**", "use": "append", "key": "id"},
    {"doc": "bandstand.json", "path": "/bookings/*", "use": "reject"},
]
"""Which rule decides where two residents write one thing. Everywhere else the last writer does."""


def make_world(seed: str, residents: int) -> dict[str, Any]:
    """Return the documents of frame 0: file name -> content."""
    people = {
        resident_id(number): make_resident(seed, number) for number in range(1, residents + 1)
    }
    return {
        "world.json": {"deadline": 60.0, "lease": 20.0, "rules": RULES},
        "agents.json": sorted(people),
        "town.json": {
            "name": "Lantern Bay",
            "seed": seed,
            "banner": "Welcome to Lantern Bay",
            "festival": [],
            "highest_kite": 0,
            "coldest_night": 12,
        },
        "people.json": people,
        "positions.json": {who: person["home"] for who, person in people.items()},
        "purses.json": {TREASURY: 30 * residents} | dict.fromkeys(people, PURSE),
        "mood.json": dict.fromkeys(people, 50),
        "market.json": {
            "stock": dict.fromkeys(WARES, 40),
            "price": {ware: 2 + number for number, ware in enumerate(WARES)},
        },
        "forum.json": {"threads": [], "replies": {}},
        "votes.json": {},
        "news.json": {"headlines": []},
        "bandstand.json": {"bookings": {}},
        "places.json": {name: place.title for name, place in PLACES.items()},
    }
