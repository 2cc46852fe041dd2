"""How a world stands at one look, for people."""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.frames.frame import Frame
from gitbaton.frames.frame import World as WorldConfig
from gitbaton.frames.tokens import Token


@dataclass(frozen=True, slots=True)
class Member:
    """One worker: of this frame's roster, or present. Ages are for people (RFC 3339 in the token).

    ``token`` None: it is in the roster and shows no presence (it left, or never came back).
    """

    name: str
    token: Token | None
    agents: int  # in this frame
    delivered: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The current frame, who is there, and what waits to be merged.

    ``late``: (frame, worker) of deltas of earlier frames. ``primary`` None: nobody has the lease.
    """

    commit: str
    frame: Frame
    config: WorldConfig
    agents: int
    primary: Token | None
    members: tuple[Member, ...]
    late: tuple[tuple[int, str], ...]
