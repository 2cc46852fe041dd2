"""What people in Lantern Bay say."""

from __future__ import annotations

from typing import Final

from .chance import Dice

_THREADS: Final = (
    ("Lost: one {animal}", "Answers to {nick}. Last seen near the {place}, looking pleased."),
    ("Who keeps moving the bench?", "It was by the {place} yesterday. Today it is not."),
    ("{food} at half past", "I baked too much again. First come, first fed, at the {place}."),
    ("On the matter of the {thing}", "We said that we would mend it. It is still not mended."),
    ("A proposal", "Lanterns along the way to the {place}, before somebody falls in."),
    ("Has anyone seen my {thing}?", "I lent it to somebody with a hat. That was in spring."),
    ("The view from the {place}", "Go up at dusk. Do not bring a book, you will not read it."),
    ("Wanted: {count} steady hands", "For the {thing}. Pay is soup, and the soup is good."),
    ("I timed the walk to the {place}", "{count} minutes, {count} more with my {animal}."),
    ("Is it me, or is the {animal} larger?", "I measured it against the {thing}. It is larger."),
    ("Songs for the Bandstand", "We know {count} of them. We would like to know more."),
    ("The tide was early", "By my own stick at the {place}. I do not say it means something."),
    ("Swap", "My {food} for your {thing}. I will not ask why you have one."),
    ("Thank you, whoever you are", "The {thing} at the {place} works again."),
    ("Small question about {food}", "How much pepper is too much? Asking after the fact."),
    ("A complaint, kindly meant", "Whoever practises the {instrument} at dawn: not at dawn."),
    ("Found at the {place}", "One {thing}, wet. Describe it and it is yours."),
    ("{nick} the {animal} for mayor", "Has been asleep at every meeting, as have the others."),
)
_REPLIES: Final = (
    "I have one. It is not for sale.",
    "This again.",
    "My grandmother would have agreed, and she agreed with nobody.",
    "Ask at the {place}. They know, and they will tell you at length.",
    "Count me in, if there is {food}.",
    "I was there. It was not like that at all.",
    "Seconded.",
    "It was the {animal}. It is always the {animal}.",
    "Come by the {place} tonight and we will see to it.",
    "I can lend you a {thing}.",
    "Strongly opposed, and I shall bring a {thing}.",
    "That made my day.",
    "{count} of us tried that once. We do not speak of it.",
    "Only if the {instrument} stays at home.",
    "Has anybody told {nick}?",
    "You are too kind, as usual.",
)
_BANNERS: Final = (
    "Welcome, whoever you are",
    "Mind the step",
    "Fair winds on Kite Day",
    "Fresh {food} today",
    "{count} days without a flood",
    "Please do not feed the {animal}",
    "Lanterns lit at dusk",
    "Be kind, it is only the wind",
)
_FILL: Final[dict[str, tuple[str, ...]]] = {
    "animal": ("goat", "goose", "tortoise", "cat", "donkey", "heron", "crab"),
    "nick": ("Pickle", "Admiral", "Button", "Mrs. Wobble", "Duke", "Turnip"),
    "place": ("harbour", "inn", "market", "bakery", "mill", "lighthouse", "gardens", "hill"),
    "food": ("plum cake", "fish pie", "pea soup", "seed buns", "gingerbread", "pickled samphire"),
    "thing": ("pump", "ladder", "barometer", "oar", "weathercock", "wheelbarrow", "umbrella"),
    "instrument": ("trombone", "fiddle", "accordion", "drum", "bagpipe"),
    "count": ("three", "four", "seven", "nine", "eleven", "twelve"),
}

WARES: Final = ("bread", "fish", "apples", "kites", "lamp oil")


def thread(dice: Dice) -> tuple[str, str]:
    """Return the title and the text of a new thread."""
    title, text = dice.pick(_THREADS)
    return _fill(title, dice), _fill(text, dice)


def reply(dice: Dice) -> str:
    """Return what somebody answers."""
    return _fill(dice.pick(_REPLIES), dice)


def banner(dice: Dice) -> str:
    """Return what somebody would like to read above the Town Square."""
    return _fill(dice.pick(_BANNERS), dice)


def _fill(text: str, dice: Dice) -> str:
    filled = text.format(**{name: dice.pick(words) for name, words in _FILL.items()})
    return filled[0].upper() + filled[1:]
