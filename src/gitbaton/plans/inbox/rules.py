"""Who may take which message, and when one may be forgotten (pure; I5).

A clock reading is only ever compared with one of the same origin: the same clock. Across a reboot,
or for a reader elsewhere, what counts is how long this reader has watched the delivery unchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import msgspec

from gitbaton.plans.inbox.model import Delivery, Handle, Hold, Letter

WINDOW: Final = 86_400.0
"""Seconds for which a copy without an id is recognised after the answer; nothing is kept less."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows: seconds since ``origin`` (see ``Clock``)."""

    origin: str
    elapsed: float


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds an inbox has lived, as its own machine counted them up to a reading."""

    counted: float
    origin: str
    at: float


def advance(age: Age | None, now: Reading) -> Age:
    """Return the age at ``now``. What lies between two boots is not counted."""
    if age is None:
        return Age(counted=0.0, origin=now.origin, at=now.elapsed)
    gap = now.elapsed - age.at if now.origin == age.origin else 0.0
    return Age(counted=age.counted + max(gap, 0.0), origin=now.origin, at=now.elapsed)


def is_over(hold: Hold, now: Reading, *, watched: float) -> bool:
    """Tell whether a lease has run out. ``watched``: seconds that the reader saw it unchanged."""
    if hold.origin == now.origin and hold.since <= now.elapsed:
        return now.elapsed - hold.since >= hold.lease
    return watched >= hold.lease


def is_free(delivery: Delivery, now: Reading, *, watched: float = 0.0) -> bool:
    """Tell whether a reader may take it: nobody has it, or not any more."""
    return delivery.hold is None or is_over(delivery.hold, now, watched=watched)


def in_turn(deliveries: Mapping[Handle, Delivery]) -> list[Handle]:
    """Return the handles in the order in which to take them.

    The senders take turns, so that none waits for another's thousand; each has its own messages
    in the order in which it sent them, by its own clock.
    """
    senders: dict[str, list[Handle]] = {}
    for handle in sorted(
        deliveries, key=lambda h: (deliveries[h].sent_at, deliveries[h].number, h)
    ):
        senders.setdefault(deliveries[handle].sender, []).append(handle)
    turns = (
        (turn, sender, handle)
        for sender, handles in senders.items()
        for turn, handle in enumerate(handles)
    )
    return [handle for _, _, handle in sorted(turns)]


def may_forget(letter: Letter, age: float, *, keep: float) -> bool:
    """Tell whether an answered message need not be kept any longer.

    ``age``: the inbox's own; ``keep``: seconds after the answer, never less than ``WINDOW``.
    """
    if letter.response is None:
        return False
    wanted = WINDOW if letter.id is None else max(keep, WINDOW)
    return age - letter.response.age >= wanted


def is_new_again(letter: Letter, age: float) -> bool:
    """Tell whether the same content is a new message by now: answered long ago, without an id."""
    return letter.id is None and may_forget(letter, age, keep=WINDOW)


def boxes(clone: PurePosixPath | None, home: PurePosixPath) -> frozenset[str]:
    """Return the boxes of a reader in ``clone``: the machine's, and all words for its own place.

    A path as a shell at home understands it: absolute, or relative to the home directory.
    """
    words = {""}
    if clone is not None:
        words.add(str(clone))
        if clone.is_relative_to(home):
            below = clone.relative_to(home)
            words |= {str(below), f"~/{below}"}
    return frozenset(words | {f"{word}/" for word in words if word})


def concerns(delivery: Delivery, boxes: Collection[str]) -> bool:
    """Tell whether a reader of ``boxes`` reads it."""
    return delivery.box in boxes
