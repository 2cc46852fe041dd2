"""Looks at the remote on behalf of one process: keeps it alive there, and closes frames if it may.

A worker has one that runs beside its streams, a primary without streams has nothing else. What it
does between two looks is one ``step``; tests take the steps themselves.
"""

from __future__ import annotations

import threading
from typing import Literal, TypeAlias

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.frames.beacon import Beacon
from gitbaton.frames.closing import Wait
from gitbaton.frames.news import Listener, News, counted
from gitbaton.frames.primary import Primary, Published
from gitbaton.frames.refs import Pair
from gitbaton.frames.sight import Watch
from gitbaton.frames.signals import Signals
from gitbaton.frames.stage import Stage, View
from gitbaton.git.remote import PushState, RefUpdate

Fate: TypeAlias = Literal["there", "merged", "instead", "taken"]
"""What became of a delta: its ref has it, a frame has it, or another has its place.

``instead``: the other one is ours, too.
"""

_BALKS = 5  # races lost in a row before it is worth a word
_TRIES = 3  # pushes of a delta before the caller is told to try later


class Attendant:
    """One process's dealings with the remote. Thread-safe: one call at a time.

    ``published`` counts the frames that it has published; ``balked`` how often it just failed to.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        presence: Beacon | None,
        lease: Beacon | None,
        person: tuple[str, str],
        listener: Listener,
        settle: float = 1.0,
    ) -> None:
        """``presence``: of a worker. ``lease``: of who may be primary. See ``Primary``."""
        self.stage = stage
        self.watch = Watch(stage.clock)
        self.published = 0
        self.balked = 0
        self._signals = Signals(stage, self.watch, presence=presence, lease=lease)
        self._primary: Primary | None = None
        if lease is not None:
            self._primary = Primary(stage, lease, self.watch, person, settle=settle)
        self._listener = listener
        self._lock = threading.Lock()
        self._told: object = None

    @property
    def leads(self) -> bool:
        """Whether this process has the primary's lease, as far as it knows."""
        return self._signals.leads

    def step(self) -> View:
        """Look, renew what is due, take the lease when it is free, close the frame when it is time.

        Raises Refused where there is no world, it was set back, or another process has our name;
        RemoteUnreachable, HostRefused, DamagedRecord, InvalidInput.
        """
        with self._lock:
            view = self._look()
            led = self.leads
            self._signals.renew(view)
            if self.leads and not led:
                self._tell(News("primary", view.scene.number, "this process is the primary now"))
            if self.leads:
                self._close(view)
            return view

    def deliver(self, pair: Pair, commit: Oid, *, or_else: Oid | None = None) -> Fate:
        """Push a delta and find out what became of it. Safe to repeat.

        ``or_else``: what else may be there of ours.

        Raises RemoteUnreachable where that cannot be told yet, and as ``step``.
        """
        with self._lock:
            update = RefUpdate(self.stage.refs.delta(pair), None, commit)
            for _ in range(_TRIES):
                result = self._signals.push_along(update, pair.frame)
                if result.state is PushState.DONE:
                    return "there"
                fate = self.fate(self._look(), pair, commit, or_else=or_else)
                if fate is not None:
                    return fate
            raise RemoteUnreachable(f"{update.ref}: {result.reason or result.state.value}")

    def fate(
        self, view: View, pair: Pair, commit: Oid | None = None, *, or_else: Oid | None = None
    ) -> Fate | None:
        """Return what a look shows of the delta ``pair``, None where nothing is there yet.

        ``commit`` None: any delta of the pair is as good as ours.
        """
        standing = view.sight.deltas.get(pair)
        if standing is not None:
            if commit in (None, standing):
                return "there"
            return "instead" if standing == or_else else "taken"
        for entry in self.stage.back_to(view.scene, pair.frame + 1):
            if commit in entry.taken:
                return "merged"
            if or_else in entry.taken:
                return "instead"
            if pair in entry.merged:
                return "merged" if commit is None else "taken"
        return None

    def leave(self) -> None:
        """Take our tokens away, so that nobody waits for us. Raises RemoteUnreachable."""
        with self._lock:
            self._signals.put_out()

    def _look(self) -> View:
        view = self.stage.look()
        self.watch.take(view.sight, lease=view.scene.config.lease)
        self.watch.take_frame(view.scene.number, view.sight)
        led = self.leads
        self._signals.see(view)
        if led and not self.leads:
            self._tell(News("deposed", view.scene.number, "another process is the primary now"))
        return view

    def _close(self, view: View) -> None:
        assert self._primary is not None, "only who may be primary has the lease"
        decision = self._primary.decide(view)
        if isinstance(decision, Wait):
            self._tell_waiting(view.scene.number, decision)
            return
        scene = view.scene
        with self._signals.kept_alight(scene.number, lease=scene.config.lease):
            draft = self._primary.compose(view, decision.missing)
        done = self._primary.publish(view, draft)
        if done is not None:
            self.published += 1
            self.balked = 0
            self._tell(_published(done))
            return
        self.balked += 1
        if self.balked == _BALKS:
            text = "the next frame cannot be published; the remote does not take it"
            self._tell(News("trouble", view.scene.number, text))

    def _tell_waiting(self, number: int, wait: Wait) -> None:
        if self._told != (number, wait.for_):
            self._told = (number, wait.for_)
            named = ", ".join(wait.for_) or "somebody to come"
            detail = {"workers": list(wait.for_), "seconds": wait.seconds}
            self._tell(News("waiting", number, f"waiting for {named}", detail))

    def _tell(self, news: News) -> None:
        self._listener(news)


def _published(done: Published) -> News:
    frame = done.edition.frame
    words = [
        counted(len(frame.merged), "delta"),
        counted(frame.counts.ops, "op"),
        counted(frame.changed, "document"),
    ]
    if frame.conflict_count:
        words.append(counted(frame.conflict_count, "conflict"))
    if frame.quarantined_count:
        words.append(f"{frame.quarantined_count} put aside")
    if frame.failed_count:
        words.append(f"{counted(frame.failed_count, 'stream')} failed")
    return News(
        "published",
        frame.number,
        f"frame {frame.number}: {', '.join(words)}",
        {
            "commit": done.commit,
            "merged": [list(pair) for pair in frame.merged],
            "missing": list(frame.missing),
            "ops": frame.counts.ops,
            "changed": frame.changed,
            "conflicts": frame.conflict_count,
            "quarantined": frame.quarantined_count,
            "failed": frame.failed_count,
            "seconds": round(done.seconds, 3),
        },
    )
