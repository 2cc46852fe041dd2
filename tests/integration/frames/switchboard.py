"""Refs that move as on a git server, and remotes on them that fail when told.

All players of a test share one object store, so a fetch has nothing to do: what is tested is the
order of the pushes, and what is seen between them. The servers of the other tests are real.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, RefUpdate

DELTA = re.compile(r"refs/baton/frames/[0-9]+/.+")


class Crash(BaseException):
    """The process is gone at this point. No error handler may hide it."""


@dataclass
class Switchboard:
    """The refs of one server. ``atomic``: whether it takes atomic pushes."""

    atomic: bool = True
    refs: dict[str, Oid] = field(default_factory=dict)
    created: list[tuple[str, Oid]] = field(default_factory=list)
    deleted: list[tuple[str, Oid]] = field(default_factory=list)

    @property
    def taken(self) -> set[Oid]:
        """The deltas that stood here once and were deleted."""
        return {oid for ref, oid in self.deleted if DELTA.fullmatch(ref)}

    @property
    def waiting(self) -> set[Oid]:
        """The deltas that stand here."""
        return {oid for ref, oid in self.refs.items() if DELTA.fullmatch(ref)}

    def apply(self, updates: Sequence[RefUpdate], *, whole: bool) -> dict[str, RefResult]:
        """Move the refs that stand at their old values; all or none if ``whole``."""
        stale = [u for u in updates if self.refs.get(u.ref) != u.old]
        if whole and stale:
            return {
                u.ref: RefResult(PushState.STALE if u in stale else PushState.UNSENT, "atomic")
                for u in updates
            }
        results = {}
        for update in updates:
            if update in stale:
                results[update.ref] = RefResult(PushState.STALE, "stale info")
                continue
            if update.new is None:
                assert update.old is not None
                del self.refs[update.ref]
                self.deleted.append((update.ref, update.old))
            else:
                if update.old is None:
                    self.created.append((update.ref, update.new))
                self.refs[update.ref] = update.new
            results[update.ref] = RefResult(PushState.DONE)
        return results


Hazard = Callable[[str], str | None]
"""Asked before each call (``list``, ``fetch``, ``push``): what goes wrong with it, None: nothing.

``before``, ``after``: the process crashes then. ``lost``: done, and the answer is lost. ``cut``:
nothing was sent. ``torn``: the server dies in the middle: only the first updates are made.
``delayed``: the answer is lost, and the push arrives some calls later.
"""


class Line:
    """One process's way to the switchboard. Implements ``git.remote.Remote``."""

    def __init__(
        self,
        board: Switchboard,
        hazard: Hazard = lambda call: None,
        rng: random.Random | None = None,
    ) -> None:
        self._board = board
        self.hazard = hazard
        self._rng = rng or random.Random(0)
        self._under_way: list[tuple[int, Sequence[RefUpdate], bool]] = []
        self._told_atomic: bool | None = None
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return "switchboard"

    @property
    def supports_atomic(self) -> bool | None:
        return self._told_atomic

    def list(self, prefixes: Sequence[str]) -> Listing:
        with_fate = self._begin("list")
        refs = {r: o for r, o in self._board.refs.items() if r.startswith(tuple(prefixes))}
        self._end(with_fate)
        return Listing(refs)

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        self._begin("fetch")

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if atomic and len(updates) > 1 and not self._board.atomic:
            self._told_atomic = False
            return {u.ref: RefResult(PushState.UNSENT, "no atomic") for u in updates}
        fate = self._begin("push")
        whole = atomic and len(updates) > 1
        unknown = {u.ref: RefResult(PushState.UNKNOWN, "no answer") for u in updates}
        if fate == "torn":
            # Git's files backend: one after the other, deletions last.
            ordered = sorted(updates, key=lambda u: u.new is None)
            if all(self._board.refs.get(u.ref) == u.old for u in updates):
                self._board.apply(ordered[: self._rng.randint(0, len(ordered))], whole=False)
            return unknown
        if fate == "delayed":
            self._under_way.append((len(self.calls) + self._rng.randint(1, 12), updates, whole))
            return unknown
        results = self._board.apply(updates, whole=whole)
        self._end(fate)
        return unknown if fate == "lost" else results

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        return self.push(choose(None), atomic=False)

    def close(self) -> None:
        self.arrive()

    def arrive(self) -> None:
        """Let everything arrive that is still under way."""
        for _, updates, whole in self._under_way:
            self._board.apply(updates, whole=whole)
        self._under_way.clear()

    def _begin(self, call: str) -> str | None:
        self.calls.append(call)
        due = [late for late in self._under_way if late[0] <= len(self.calls)]
        for late in due:
            self._under_way.remove(late)
            self._board.apply(late[1], whole=late[2])
        fate = self.hazard(call)
        if fate == "before":
            raise Crash
        if fate == "cut" or (fate == "lost" and call == "list"):
            raise RemoteUnreachable("the line is cut")
        return fate

    def _end(self, fate: str | None) -> None:
        if fate == "after":
            raise Crash
