"""What a resident does in a frame, as ops on the world.

Each function yields the ops of one habit. None of them writes what another resident alone decides:
where two may meet, the rule for that path says what comes of it (``seed.RULES``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from . import words
from .chance import Dice
from .happenings import ferry_comes, happening_of
from .places import HOMES, PLACES, SOCIAL, day_of, hour_of
from .residents import make_resident, resident_id
from .seed import TREASURY
from .world import World

Op: TypeAlias = dict[str, Any]

_WAGE: Final = 3
_RECENT: Final = 12
"""How many threads back people read."""


class Moment(NamedTuple):
    """A resident in a frame: what is known, and the dice for what is not."""

    world: World
    frame: int
    who: str
    dice: Dice

    @property
    def me(self) -> Any:
        """What the town knows about this resident."""
        return self.world.people[self.who]

    @property
    def here(self) -> str:
        """Where this resident is."""
        return self.world.positions[self.who]

    @property
    def hour(self) -> str:
        """The hour of the day."""
        return hour_of(self.frame)


def live(world: World, frame: int, who: str) -> Iterator[Op]:
    """Yield the ops of one resident in one frame; the same ones however often it is asked."""
    moment = Moment(world, frame, who, Dice(world.town["seed"], frame, who))
    if _leaves(moment):
        yield from _leave(moment)
        return
    yield from _walk(moment)
    yield from _work(moment)
    yield from _shop(moment)
    yield from _talk(moment)
    yield from _feel(moment)
    yield from _meddle(moment)
    if moment.me["trade"] == "keeper":
        yield from _welcome(moment)


def _walk(moment: Moment) -> Iterator[Op]:
    place = _destination(moment)
    if place != moment.here:
        yield {"op": "set", "doc": "positions.json", "path": f"/{moment.who}", "value": place}


def _destination(moment: Moment) -> str:
    me, dice = moment.me, moment.dice
    happening = happening_of(moment.world.town["seed"], moment.frame + 1)
    if happening is not None and dice.luck(happening.pull):
        return happening.place
    next_hour = hour_of(moment.frame + 1)
    if next_hour in ("night", "dawn"):
        return str(me["home"]) if dice.luck(0.85) else "inn"
    if next_hour == "noon":
        return dice.pick(("market", "bakery", "inn", "square", str(me["work"])))
    if next_hour == "evening":
        return dice.pick(SOCIAL) if dice.luck(0.5 + me["sociable"] / 20) else str(me["home"])
    if dice.luck(me["curious"] / 40):
        return dice.pick([place for place in PLACES if place not in HOMES])
    return str(me["work"])


def _work(moment: Moment) -> Iterator[Op]:
    me, purses = moment.me, moment.world.purses
    if moment.hour in ("morning", "afternoon") and moment.here == me["work"]:
        if purses[TREASURY] > 100 and me["trade"] != "pupil":
            yield from _pay(TREASURY, moment.who, _WAGE)
        made = {"baker": "bread", "fisher": "fish", "gardener": "apples", "keeper": "lamp oil"}
        ware = "kites" if me["work"] == "hill" else made.get(me["trade"])
        if ware is not None:
            yield {"op": "incr", "doc": "market.json", "path": f"/stock/{ware}", "value": 2}
    if moment.hour == "dawn":
        tax = purses[moment.who] // 12
        if tax:
            yield from _pay(moment.who, TREASURY, tax)


def _shop(moment: Moment) -> Iterator[Op]:
    world, dice = moment.world, moment.dice
    merchants = [w for w in world.at("market") if world.people[w]["trade"] == "merchant"]
    if moment.here != "market" or not merchants:
        return
    ware = dice.pick(words.WARES)
    price = world.market["price"][ware]
    if moment.me["trade"] == "merchant":
        if dice.luck(
            0.25
        ):  # two may mark the same ware: the later one in order stays, and it shows
            better = max(1, price + (1 if world.market["stock"][ware] < 30 else -1))
            yield _set("market.json", f"/price/{ware}", better, base=price)
    elif world.market["stock"][ware] > 0 and world.purses[moment.who] >= price and dice.luck(0.7):
        yield from _pay(moment.who, dice.pick(merchants), price)
        yield {"op": "incr", "doc": "market.json", "path": f"/stock/{ware}", "value": -1}
        yield _cheer(moment.who, 1)


def _pay(giver: str, taker: str, gold: int) -> Iterator[Op]:
    """Move gold. Sums know no order, so nothing is made or lost however frames are merged."""
    yield {"op": "incr", "doc": "purses.json", "path": f"/{giver}", "value": -gold}
    yield {"op": "incr", "doc": "purses.json", "path": f"/{taker}", "value": gold}


def _talk(moment: Moment) -> Iterator[Op]:
    world, dice, who = moment.world, moment.dice, moment.who
    if moment.hour == "night":
        return
    said = f"{who}-{moment.frame}"
    sociable = moment.me["sociable"]
    if dice.luck(0.004 + sociable / 400):
        title, text = words.thread(dice)
        thread = {"id": said, "by": who, "frame": moment.frame, "title": title, "text": text}
        yield {
            "op": "append",
            "doc": "forum.json",
            "path": "/threads",
            "value": thread,
            "key": said,
        }
    recent = world.threads[-_RECENT:]
    if recent and dice.luck(0.02 + sociable / 60):
        thread, said = dice.pick(recent), f"{said}-re"
        answer = {"id": said, "by": who, "frame": moment.frame, "text": words.reply(dice)}
        path = f"/replies/{thread['id']}"
        yield {"op": "append", "doc": "forum.json", "path": path, "value": answer, "key": said}
        yield _cheer(thread["by"], 1)
    if recent and dice.luck(0.2):
        thread = dice.pick(recent)
        yield {"op": "add", "doc": "votes.json", "path": f"/{thread['id']}", "value": who}


def _feel(moment: Moment) -> Iterator[Op]:
    happening = happening_of(moment.world.town["seed"], moment.frame)
    mood = moment.world.mood[moment.who]
    change = (mood < 50) - (mood > 50)  # everything passes
    if happening is not None and moment.here == happening.place:
        change += happening.cheer
        day = f"day-{day_of(moment.frame)}"
        story = {"day": day, "text": happening.headline}
        # Everybody who is there tells it; the key keeps it one story.
        yield {"op": "append", "doc": "news.json", "path": "/headlines", "value": story, "key": day}
    if change:
        yield _cheer(moment.who, change)


def _meddle(moment: Moment) -> Iterator[Op]:
    """Touch what belongs to all: here residents get in each other's way."""
    dice, town = moment.dice, moment.world.town
    if moment.here == "square" and dice.luck(0.12):
        yield _set("town.json", "/banner", words.banner(dice), base=town["banner"])
    if moment.me["trade"] == "musician" and moment.hour in ("morning", "noon"):
        day = f"day-{day_of(moment.frame) + 1}"
        if day not in moment.world.bookings and dice.luck(0.3):
            yield _set("bandstand.json", f"/bookings/{day}", moment.who)
    if moment.here == "hill" and moment.hour in ("noon", "afternoon"):
        height = dice.between(40, 400)
        yield {"op": "max", "doc": "town.json", "path": "/highest_kite", "value": height}
    if moment.here == "lighthouse" and moment.hour == "night":
        cold = dice.between(-6, 10)
        yield {"op": "min", "doc": "town.json", "path": "/coldest_night", "value": cold}
    if moment.here == "bakery" and dice.luck(0.15):
        dishes = sorted({*town["festival"], dice.pick(("buns", "pie", "soup", "cake", "crab"))})
        yield _set("town.json", "/festival", dishes, base=town["festival"])


def _welcome(moment: Moment) -> Iterator[Op]:
    """A lighthouse keeper enters the newcomers. Both keepers do; it is the same newcomers."""
    if not ferry_comes(moment.frame):
        return
    seed, known = moment.world.town["seed"], len(moment.world.people)
    for number in range(known + 1, known + 1 + Dice(seed, "ferry", moment.frame).between(0, 3)):
        who = resident_id(number)
        yield _set("people.json", f"/{who}", make_resident(seed, number))
        yield _set("positions.json", f"/{who}", "harbour")
        yield _set("purses.json", f"/{who}", 0)
        yield _set("mood.json", f"/{who}", 60)
        yield {"op": "add", "doc": "agents.json", "path": "", "value": who}


def _leaves(moment: Moment) -> bool:
    """Say whether this resident takes the ferry: rarely, and not the keepers."""
    if moment.me["trade"] == "keeper" or not ferry_comes(moment.frame):
        return False
    return moment.dice.luck(0.03 if moment.world.mood[moment.who] < 45 else 0.008)


def _leave(moment: Moment) -> Iterator[Op]:
    who, gold = moment.who, moment.world.purses[moment.who]
    if gold:
        yield from _pay(who, TREASURY, gold)
    yield _set("positions.json", f"/{who}", "ferry")
    yield {"op": "remove", "doc": "agents.json", "path": "", "value": who}


def _cheer(who: str, by: int) -> Op:
    return {"op": "incr", "doc": "mood.json", "path": f"/{who}", "value": by}


def _set(doc: str, path: str, value: object, **more: object) -> Op:
    return {"op": "set", "doc": doc, "path": path, "value": value, **more}
