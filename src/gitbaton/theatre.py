"""Puts the parts of a shared world together: the clone's store and remote under the frames.

Beside ``workshop`` and ``fleet``: a part of the composition root that only ``frame`` pays for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gitbaton.app import App
from gitbaton.frames.frame import World as WorldConfig
from gitbaton.frames.history import History
from gitbaton.frames.news import Listener
from gitbaton.frames.performance import Performance
from gitbaton.frames.refs import WORLD
from gitbaton.frames.standing import Standing
from gitbaton.frames.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a new world begins with. ``documents``: file name -> bytes (JSON)."""

    config: WorldConfig
    documents: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Founded:
    """The world that is there now. ``made``: by this call; else it was there before."""

    frame: int
    commit: str
    branch: str
    made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a worker is to do.

    ``command``: the words of each stream, or a function in this process. ``name``: None for one
    that no other worker of this clone has now, and that is the same after a restart. ``frames``:
    end after delivering in so many; None: go on. ``timeout``: seconds that a stream may run; None:
    what is left of the frame's deadline. ``grace``: seconds between TERM and KILL.
    """

    command: Sequence[str] | Stream
    streams: int = 1
    name: str | None = None
    frames: int | None = None
    primary: bool = True
    timeout: float | None = None
    grace: float = 10.0


class Theatre:
    """The frames of one clone."""

    def __init__(self, app: App, *, branch: str = WORLD) -> None:
        """Raises InvalidInput for a bad branch name, Refused where there is no git remote."""
        raise NotImplementedError

    def found(self, founding: Founding) -> Founded:
        """Make the world at frame 0, or say that it is there. Raises HostRefused, InvalidInput."""
        raise NotImplementedError

    def worker(self, part: Part, listener: Listener) -> AbstractContextManager[Performance]:
        """Give a worker: ``run()`` until its frames are over, ``drain()``, ``stop()``.

        ``run`` returns the number of frames it delivered in. Raises Refused when there is no
        world, or when another process of this clone or elsewhere bears the name.
        """
        raise NotImplementedError

    def primary(
        self, listener: Listener, *, frames: int | None = None
    ) -> AbstractContextManager[Performance]:
        """Give a primary without streams: the same three methods. It takes the lease when free."""
        raise NotImplementedError

    def standing(self) -> Standing:
        """Return how the world stands now: one look."""
        raise NotImplementedError

    @property
    def history(self) -> History:
        """The frames so far: ``log``, ``at``, ``show``, ``diff``, ``replay``."""
        raise NotImplementedError

    def directory(self) -> Path:
        """Return where workers of this clone keep worlds, ops and logs."""
        raise NotImplementedError
