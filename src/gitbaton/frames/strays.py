"""Deltas that a primary leaves where they are: told once in a record, and looked at no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.frames.frame import Frame, Stray
from gitbaton.frames.gathering import Found
from gitbaton.frames.refs import Pair

Key: TypeAlias = tuple[Pair, Oid]

_MOST: Final = 1000  # that a record names; more are left where they are without a word


class Strays:
    """What this process knows of them. It forgets none: what was found once is not fetched again.

    ``key in strays``: the delta is to be left alone.
    """

    def __init__(self) -> None:
        self._found: dict[Key, Stray] = {}  # perhaps in no record yet
        self._known: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def heed(self, frame: Frame) -> None:
        """Leave alone what the record names, whoever found that out."""
        self._known.update(map(_named, frame.astray))

    def ignore(self, keys: Iterable[Key]) -> None:
        """Leave alone what is not even a commit; no record names it."""
        self._known.update(keys)

    def note(self, found: Iterable[Found]) -> None:
        """Leave alone what was ``found`` to lead elsewhere; the next record is to name it."""
        self._found.update(((o.pair, o.commit), Stray(*o.pair, o.commit)) for o in found)
        self._known.update(self._found)

    def to_name(self, frame: Frame, there: Mapping[Pair, Oid]) -> list[Stray]:
        """Return what the frame after ``frame`` names: what is still ``there``, in one order.

        Also what was found long ago: the frame that named it may not have been published.
        """
        all_ = {_named(one): one for one in frame.astray} | self._found
        return [one for key, one in all_.items() if key in there.items()][:_MOST]


def _named(stray: Stray) -> Key:
    return Pair(stray.frame, stray.worker), Oid(stray.commit)
