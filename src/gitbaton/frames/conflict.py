"""What a frame's record says about writes that could not all stand (pure)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct

Kind: TypeAlias = Literal[
    "values",  # streams set one place to different values
    "overlap",  # one stream set a place, another one something below it
    "kept",  # one took away what another wrote: it was kept
    "stale",  # the value that an op was based on is not what was there
    "type",  # what is there, or above it, is not of the kind that the op needs
    "index",  # an array index that cannot be relied on
    "duplicate",  # elements with one dedup key and different contents
    "number",  # a sum too great to be kept as a number
    "document",  # what is there under the document's name is no JSON
]


class Claim(Struct, frozen=True, omit_defaults=True):
    """One op in a conflict, and whether it stands.

    ``value`` is left out of a deletion, and where it is long (``size`` bytes): the op itself is in
    its delta. ``base`` and ``new`` are what the op was based on.
    """

    frame: int
    worker: str
    stream: str
    sequence: int
    op: str
    won: bool
    agent: str | None = None
    value: Any = UNSET
    base: Any = UNSET
    new: bool = False
    size: int = 0


class Conflict(Struct, frozen=True, omit_defaults=True):
    """Ops that could not all stand as they were meant, and which of them did.

    ``rule`` is what decided. ``found`` is what was there before (left out: nothing; or long, then
    ``size`` has its bytes). ``more`` counts further ops that are not listed.
    """

    kind: Kind
    doc: str
    path: str
    rule: str
    claims: tuple[Claim, ...]
    found: Any = UNSET
    size: int = 0
    more: int = 0
