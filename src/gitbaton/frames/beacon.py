"""A token that this process keeps on the remote: lit, renewed, and put out again.

The primary's lease and a worker's presence are the same thing to the remote: a ref that one
process replaces by compare-and-swap, from a value that it knows to be its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.ids import Oid, new_nonce
from gitbaton.frames.tokens import Role, Token, mint
from gitbaton.git.objects import Format, Person, RawObject
from gitbaton.git.remote import PushState, RefResult, RefUpdate

_OFTEN = 3.0  # renewals in a lease


@dataclass(frozen=True, slots=True)
class Flash:
    """A renewal to push: the update, and the objects to write for it."""

    update: RefUpdate
    objects: tuple[RawObject, ...]


@dataclass(slots=True)
class Beacon:
    """One token. ``mine``: the value on the remote that is surely ours, None while none is.

    Not thread-safe: whoever keeps it has a lock.
    """

    ref: str
    role: Role
    name: str
    machine: str
    person: tuple[str, str]
    clock: Clock
    format: Format
    streams: int = 0
    mine: Oid | None = None
    usurped: bool = False  # ours was replaced by another's
    _doubtful: set[Oid] = field(default_factory=set)  # sent, and the answer was lost
    _at: float = 0.0  # when we last learned what stands there
    _lit: float = 0.0  # when the value that stands was sent
    _chained: bool = False  # the host refuses to replace a commit by one that is no descendant

    def see(self, there: Oid | None, *, asked: float) -> None:
        """Take what a look that was asked for at ``asked`` has shown at our ref."""
        if asked < self._at or there == self.mine:
            return  # the look is older than what the last push told us, or says the same
        ours = there is not None and there in self._doubtful
        # One that is gone was deleted as litter while we slept: nobody else has our place.
        self.usurped = self.mine is not None and there is not None and not ours
        self.mine = there if ours else None
        self._doubtful.clear()

    def is_due(self, *, lease: float) -> bool:
        """Tell whether it is time to renew (or to light it for the first time)."""
        return self.mine is None or self.clock.elapsed() - self._lit >= lease / _OFTEN

    def flash(self, frame: int, *, over: Oid | None) -> Flash:
        """Return the next renewal. ``over``: what stands at the ref if that is not ours."""
        old = self.mine or over
        now = self.clock.now()
        token = Token(
            role=self.role,
            name=self.name,
            machine=self.machine,
            nonce=new_nonce(),
            frame=frame,
            at=rfc3339(now),
            streams=self.streams,
        )
        minted = mint(
            token,
            Person(*self.person, int(now.timestamp())),
            self.format,
            after=old if self._chained else None,
        )
        return Flash(RefUpdate(self.ref, old, minted.oid), minted.objects)

    def sent(self, flash: Flash, result: RefResult, *, began: float) -> None:
        """Take the server's answer to a renewal that was sent at ``began``."""
        new = flash.update.new
        assert new is not None, "a renewal leaves a token"
        match result.state:
            case PushState.DONE:
                self.mine, self._lit, self.usurped = new, began, False
                self._at = self.clock.elapsed()
                self._doubtful.clear()
            case PushState.UNSENT:
                pass
            case _:
                self._chained = self._chained or "non-fast-forward" in result.reason
                self._doubtful.add(new)  # a look tells

    def put_out(self) -> RefUpdate | None:
        """Return the update that removes our token, None if there is none of ours."""
        old, self.mine = self.mine, None
        return RefUpdate(self.ref, old, None) if old is not None else None
