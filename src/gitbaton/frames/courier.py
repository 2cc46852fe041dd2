"""Brings a worker's deltas to the remote; what the host will not have is put aside.

A delta that the host refuses for good (a hook, a size limit) must not stop its worker. In its place
goes a delta without ops, which says so to everybody: the *stand-in*. The ref of a delta is created
once, so of the two that bear one name at most one is ever there, also where a refusal was none and
the delta arrives after all (I7).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from gitbaton.core.errors import GitFailed, HostRefused, Refused, RemoteUnreachable
from gitbaton.core.ids import Oid, new_nonce
from gitbaton.frames.attendant import Attendant, Fate
from gitbaton.frames.codec import show
from gitbaton.frames.delivery import pack_delta
from gitbaton.frames.journal import Journal, Undelivered
from gitbaton.frames.news import Listener, News
from gitbaton.frames.reading import read_deltas
from gitbaton.frames.rounds import Rounds
from gitbaton.frames.stage import View
from gitbaton.git.objects import Person
from gitbaton.store.gitengine.layout import escape

_REFUSALS: Final = 3  # rounds of refusals, with pauses, before a delta is given up
_PATIENCE: Final = 30.0  # seconds between the first of them and the last, at least


class Courier:
    """Delivers what the worker ``name`` has made. For one thread."""

    def __init__(
        self,
        name: str,
        person: tuple[str, str],
        attendant: Attendant,
        rounds: Rounds,
        journal: Journal,
        listener: Listener,
    ) -> None:
        self._name = name
        self._person = person
        self._attendant = attendant
        self._rounds = rounds
        self._journal = journal
        self._listener = listener

    def note(self, delta: Undelivered) -> None:
        """Note a delta that was made: from here on it is never made again."""
        self._journal.write(delta)

    def left_over(self, frame: int) -> Undelivered | None:
        """Return what an earlier run has made and not delivered, as the world is at ``frame``."""
        left = self._journal.read()
        if left is None:
            return None
        objects = self._attendant.stage.repository.objects
        ours = left.pair.worker == self._name and left.pair.frame <= frame
        if ours and not objects.missing([left.commit]):
            return left
        self._journal.clear()  # of another world, or of a clone that was made anew
        return None

    def deliver(
        self, delta: Undelivered, halted: Callable[[], bool], *, seen: View | None = None
    ) -> bool:
        """Publish a delta, however long the remote is away; then forget it.

        ``seen``: a look that may show what became of it before. Returns False where we were halted
        first: it stays noted. Raises Refused when another process has published one in our name,
        HostRefused when the host takes not even a stand-in.
        """
        clock = self._attendant.stage.clock
        fate = self._fate(seen, delta) if seen is not None else None
        failures = refusals = 0
        began = clock.elapsed()  # the first of the refusals
        why = ""  # the host refuses it for good
        while fate is None:
            try:
                if why and delta.stand_in is None:
                    delta = self._put_aside(delta, why)
                fate = self._stand_in(delta) if why else self._push(delta)
                break
            except RemoteUnreachable as error:
                # What comes back may be another host, or the same in another mood.
                refusals, why = 0, ""
                failures += 1
                if failures == 1:
                    self._listener(News("offline", delta.pair.frame, error.message))
            except HostRefused as error:
                if why:
                    raise  # whatever is sent: it is not for this delta's sake
                began = began if refusals else clock.elapsed()
                refusals += 1
                if refusals >= _REFUSALS and clock.elapsed() - began >= _PATIENCE:
                    why = show(error.reason) or "no reason given"
                    continue
            if halted():
                return False
            self._rounds.pause(failures + refusals)
        self._journal.clear()
        if fate == "taken":
            raise Refused(
                f"frame {delta.pair.frame} has a delta of another {self._name!r}",
                code="name_taken",
                next="baton frame work --name ANOTHER",
            )
        if fate == "instead":
            self._tell_refused(delta, why)
        elif delta.stand_in is not None:  # it has come after all, and is in good hands
            self._attendant.stage.repository.release(_kept_name(delta))
        return True

    def _fate(self, seen: View, delta: Undelivered) -> Fate | None:
        return self._attendant.fate(seen, delta.pair, delta.commit, or_else=delta.stand_in)

    def _push(self, delta: Undelivered) -> Fate:
        return self._attendant.deliver(delta.pair, delta.commit, or_else=delta.stand_in)

    def _put_aside(self, delta: Undelivered, why: str) -> Undelivered:
        """Make the stand-in of a delta that is refused again and again, the only one it ever has.

        It is noted beside the other one before it is sent: killed in between, neither is a
        stranger's. A ref of the clone keeps what is refused, which nothing else leads to.
        """
        with suppress(GitFailed):  # a second line: nothing is collected in that repository
            self._attendant.stage.repository.keep(_kept_name(delta), delta.commit)
        both = Undelivered(delta.pair, delta.commit, self._make(delta, why))
        self._journal.write(both)
        return both

    def _stand_in(self, delta: Undelivered) -> Fate:
        """Publish the stand-in of ``delta``."""
        assert delta.stand_in is not None, "it is made first"
        fate = self._attendant.deliver(delta.pair, delta.stand_in, or_else=delta.commit)
        if fate == "instead":  # the delta itself has arrived after all
            return "there"
        return "taken" if fate == "taken" else "instead"

    def _tell_refused(self, delta: Undelivered, why: str) -> None:
        reason = f"{why} " if why else ""
        words = (
            f"frame {delta.pair.frame}: put aside, {reason}(commit {delta.commit} of this clone)"
        )
        detail = {"commit": delta.commit, "reason": why}
        self._listener(News("refused", delta.pair.frame, words, detail))

    def _make(self, delta: Undelivered, why: str) -> Oid:
        """Write a stand-in of the same streams, from the same world, and return its commit."""
        stage = self._attendant.stage
        repository = stage.repository
        (refused,) = read_deltas(repository, [(delta.pair, delta.commit)])
        runs = {
            name: msgspec.structs.replace(run, outcome="failed", detail="the host refused its ops")
            for name, run in refused.header.streams.items()
        }
        commit, made = pack_delta(
            delta.pair,
            stage.parents([delta.commit])[delta.commit][0],
            runs,
            {},
            Person(*self._person, int(stage.clock.now().timestamp())),
            new_nonce(),
            repository.objects.format,
            refused=f"the host refused its delta {delta.commit}: {why}",
        )
        repository.objects.write(made)
        return commit


def _kept_name(delta: Undelivered) -> str:
    frame, worker = delta.pair
    return f"frames/{frame}/{escape(worker)}/{delta.commit}"
