"""How much one frame may take in, and how a bound is shared out fairly (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

MIB: Final = 1024 * 1024
FILE_LIMIT: Final = 64 * MIB
"""Bytes of one stream's ops in one frame that anybody reads, whatever a world says."""

Bytes: TypeAlias = Annotated[int, Meta(ge=1)]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a frame takes, in bytes; the rest is put aside with the reason.

    ``stream``, ``delta``, ``frame``: of the ops of one stream, one worker and all workers.
    ``document``: of a document, as it stands in the world.
    """

    stream: Annotated[int, Meta(ge=1, le=FILE_LIMIT)] = FILE_LIMIT
    delta: Bytes = 256 * MIB
    frame: Bytes = 512 * MIB
    document: Bytes = 64 * MIB


DEFAULT: Final = Limits()


def share_out(wants: Sequence[int], room: int) -> list[int]:
    """Return how much of ``room`` each gets: what it wants, or as much as anybody.

    So who wants little is never cut for those who want much.
    """
    shares = [0] * len(wants)
    for rank, at in enumerate(sorted(range(len(wants)), key=lambda at: (wants[at], at))):
        shares[at] = min(wants[at], max(room, 0) // (len(wants) - rank))
        room -= shares[at]
    return shares
