"""Who lives in Lantern Bay: names, trades, homes and temper."""

from __future__ import annotations

from typing import Any, Final

from .chance import Dice
from .places import HOMES

TRADES: Final[dict[str, tuple[str, int]]] = {
    "fisher": ("harbour", 16),
    "baker": ("bakery", 7),
    "merchant": ("market", 12),
    "smith": ("workshop", 7),
    "carpenter": ("workshop", 7),
    "teacher": ("school", 6),
    "pupil": ("school", 12),
    "librarian": ("library", 4),
    "miller": ("mill", 5),
    "gardener": ("gardens", 8),
    "innkeeper": ("inn", 5),
    "musician": ("bandstand", 7),
    "keeper": ("lighthouse", 2),
    "kite maker": ("hill", 4),
}
"""Trade -> where it is done, and how many of a hundred follow it."""

_NAMES: Final = (
    "Ada Bram Cleo Dario Elin Fergus Greta Hugo Ines Jonas Kaja Leo Mira Nils Olga Piet Quinn "
    "Rosa Sami Tilda Ugo Vera Willem Xenia Yara Zeno Anton Bella Cyrus Dora Emil Freya Gideon "
    "Hanna Igor Juno Kurt Lotta Milo Nora Otto Paula Remy Selma Tomas Una Viggo Wanda Ximena "
    "Yusuf Zelda Alba Boris Carmen Daan Edith Felix Gwen Henrik Isla Joris Kira Lars Maud Noor "
    "Oskar Petra Ravi Sofia Timo Ulla Viktor Wren Amara Basil Chiara Dimitri Esme Finn Gaia Hilde "
    "Idris Jana Koen Lida Mateo Nadia Omar Pia Ruben Saskia Theo Ursula Vito Wilma Yannick Zara "
    "Aiko Benno Celia"
)
_SURNAMES: Final = (
    "Alder Barrow Crane Drake Elder Finch Gale Heron Iver Jarrow Kestrel Lark Marsh Nettle Oakes "
    "Pike Quill Reed Sable Thorn Umber Vale Wick Yarrow"
)


def resident_id(number: int) -> str:
    """Return the id of the resident with that number, from 1."""
    return f"r{number:03}"


def make_resident(seed: str, number: int) -> dict[str, Any]:
    """Return the resident with that number; the same one whenever it is asked."""
    dice = Dice(seed, "born", number)
    trades = [trade for trade, (_, share) in TRADES.items() for _ in range(share)]
    trade = trades[(number * 37) % len(trades)]
    names = _NAMES.split()
    first = names[(number - 1) % len(names)]
    return {
        "name": f"{first} {dice.pick(_SURNAMES.split())}",
        "trade": trade,
        "work": TRADES[trade][0],
        "home": "fishers-row" if trade == "fisher" and dice.luck(0.7) else dice.pick(HOMES),
        "sociable": dice.between(1, 9),
        "curious": dice.between(1, 9),
    }
