"""One push over one link: what is sent, and what a look at the refs makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitbaton.core.ids import Oid
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.link import Link
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.receive import (
    Advertisement,
    Report,
    choose_capabilities,
    encode_request,
)
from gitbaton.git.fast.verdict import settle
from gitbaton.git.objects import Format
from gitbaton.git.remote import Choose, RefResult, RefUpdate


@dataclass(slots=True)
class Session:
    """One push. ``listed``: commits that the server had when it was last looked at.

    Afterwards ``updates`` are what was wanted (None: that was never asked), ``sent`` those that
    may have reached the server, ``settled`` the fates of the others. ``supports_atomic``: what
    the session showed, None if it was not looked at.
    """

    packer: Packer
    format: Format
    choose: Choose
    atomic: bool
    listed: frozenset[Oid]
    updates: Sequence[RefUpdate] | None = None
    sent: Sequence[RefUpdate] = ()
    settled: Mapping[str, RefResult] = field(default_factory=dict)
    supports_atomic: bool | None = None

    def run(self, link: Link, deadline: Deadline) -> Report | None:
        """Push, looking first only where the outcome depends on it. Raises Unfit, Lost."""
        self.updates = updates = self.choose(None)
        if not self.atomic and all(update.new is not None for update in updates):
            request = self._compose_blind(updates)
            if request is not None:
                self.sent = updates
                return link.push(lambda _: request, deadline, look=False)
        return self.look_and_run(link, deadline)

    def look_and_run(self, link: Link, deadline: Deadline) -> Report | None:
        """Look, and push what ``choose`` makes of that. Raises Unfit, Lost, and as ``choose``."""
        return link.push(self._compose, deadline, look=True)

    def _compose_blind(self, updates: Sequence[RefUpdate]) -> bytes | None:
        """Return the request from what we know; None if it would carry a history."""
        olds = _olds(updates)
        pack = self.packer.pack_small(_tips(updates), there=self.listed | olds, near=olds)
        if pack is None:
            return None
        words = choose_capabilities(None, self.format, atomic=False)
        return encode_request(updates, words, pack, self.format)

    def _compose(self, seen: Advertisement | None) -> bytes | None:
        """Decide by what the session shows; return the request, None if nothing is left to do."""
        assert seen is not None
        self.supports_atomic = seen.can("atomic")
        self.updates = self.choose(seen.refs)
        choice = settle(self.updates, seen, atomic=self.atomic)
        self.settled = choice.settled
        if not choice.send:
            return None
        atomic = self.atomic and len(choice.send) > 1
        words = choose_capabilities(seen, self.format, atomic=atomic)
        request = encode_request(choice.send, words, self._pack(choice.send, seen), self.format)
        self.sent = choice.send
        return request

    def _pack(self, updates: Sequence[RefUpdate], seen: Advertisement) -> bytes:
        tips, there = _tips(updates), seen.others.union(seen.refs.values())
        small = self.packer.pack_small(tips, there=there, near=_olds(updates))
        if small is not None:
            return small
        options = [] if seen.can("no-thin") else ["--thin"]
        options += ["--delta-base-offset"] if seen.can("ofs-delta") else []
        return self.packer.pack_history(tips, there=there, options=options)


def _tips(updates: Sequence[RefUpdate]) -> Sequence[Oid]:
    return [update.new for update in updates if update.new is not None]


def _olds(updates: Sequence[RefUpdate]) -> frozenset[Oid]:
    return frozenset(update.old for update in updates if update.old is not None)
