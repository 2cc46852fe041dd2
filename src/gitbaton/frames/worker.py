"""A worker of frames: runs its agents on each frame, and delivers what they want changed.

Its streams run in threads of this process; beside them its ``Rounds`` keep it alive on the remote,
and close frames when it is the primary.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import new_nonce
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.courier import Courier
from gitbaton.frames.delivery import pack_delta
from gitbaton.frames.journal import Undelivered
from gitbaton.frames.news import Kind, Listener, News, counted
from gitbaton.frames.refs import Pair
from gitbaton.frames.rounds import Rounds
from gitbaton.frames.scene import Scene
from gitbaton.frames.stage import View
from gitbaton.frames.troupe import Played, Troupe
from gitbaton.git.objects import Person

_LEAST = 1.0  # seconds that a stream gets however late it begins
_SHARE = 0.9  # of the deadline: what was written until then is still delivered in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a worker works. See ``theatre.Part`` for ``frames`` and ``timeout``."""

    name: str
    person: tuple[str, str]
    frames: int | None = None
    timeout: float | None = None


class Worker:
    """One worker at work: ``run`` once; ``drain`` and ``stop`` from signal handlers."""

    def __init__(
        self,
        terms: Terms,
        attendant: Attendant,
        rounds: Rounds,
        troupe: Troupe,
        courier: Courier,
        listener: Listener,
    ) -> None:
        self._terms = terms
        self._attendant = attendant
        self._rounds = rounds
        self._troupe = troupe
        self._courier = courier
        self._listener = listener
        self._draining = False
        self._halted: str | None = None
        self._delivered = 0
        self._runs = self._failures = 0  # of streams
        self._latest: Pair | None = None  # what was delivered last: older looks do not show it

    def drain(self) -> None:
        """Finish the frame under way, then end."""
        self._draining = True

    def stop(self) -> None:
        """End the streams, deliver nothing more, leave."""
        self._draining = True
        self._halted = "the worker was stopped"
        self._rounds.stop()

    def run(self) -> int:
        """Work until it is over; return in how many frames it delivered.

        Raises Refused where there is no world or another process has the name, and whatever else
        makes it impossible to go on.
        """
        beside = self._rounds.run_beside()
        try:
            view = self._rounds.await_view(lambda seen: True)
            if view is not None:
                self.catch_up(view)
                self._work()
        finally:
            self._rounds.stop()
            beside.join()
            with suppress(RemoteUnreachable):  # then our leases run out
                self._attendant.leave()
        words = f"delivered in {counted(self._delivered, 'frame')}"
        if self._failures:
            words += f"; {self._failures} of {counted(self._runs, 'stream')} failed"
        self._tell("stopped", 0, words)
        return self._delivered

    def _work(self) -> None:
        last, first = -1, None
        while not self._draining:
            view = self._await_after(last)
            if view is None or self._draining:
                return
            last = view.scene.number
            if first is None and self._terms.name in view.scene.frame.roster:
                first = last
            wanted = self._terms.frames
            if first is not None and wanted is not None and last >= first + wanted:
                return
            self.play(view)

    def _await_after(self, last: int) -> View | None:
        """Wait for a frame after ``last``; None when there is nothing to wait for any more."""
        return self._rounds.await_view(lambda seen: self._draining or seen.scene.number > last)

    def play(self, view: View) -> None:
        """Run the agents of one frame and deliver, unless that was done before a restart."""
        scene, name = view.scene, self._terms.name
        if scene.fault is not None:
            self._tell("trouble", scene.number, scene.fault)
        if name not in scene.engaged:
            self._tell("idle", scene.number, f"frame {scene.number}: no agents for {name}")
            return
        pair = Pair(scene.number, name)
        if pair == self._latest or self._attendant.fate(view, pair) is not None:
            return
        played = self._troupe.play(scene, timeout=self._time_for(view), halt=lambda: self._halted)
        if self._halted is None:
            self._count(scene.number, played)
            self._deliver(self._keep(scene, pair, played))
            self._troupe.tidy()
            self._attendant.stage.tidy()

    @property
    def in_vain(self) -> bool:
        """Whether streams have run, and none of them ended well."""
        return 0 < self._runs == self._failures

    def _count(self, number: int, played: Played) -> None:
        failures = sum(run.outcome != "ok" for run in played.runs.values())
        self._runs += len(played.runs)
        self._failures += failures
        if failures == len(played.runs):
            text = f"frame {number}: no stream ended well ({failures} of {failures} failed)"
            self._tell("trouble", number, text)

    def _time_for(self, view: View) -> float:
        """Return the seconds that streams may run: what is left of the frame, as we saw it."""
        if self._terms.timeout is not None:
            return self._terms.timeout
        elapsed = self._attendant.watch.elapsed(view.scene.number, view.sight)
        return max(view.scene.config.deadline * _SHARE - elapsed, _LEAST)

    def _keep(self, scene: Scene, pair: Pair, played: Played) -> Undelivered:
        """Make the delta and note it: from here on it is never made again."""
        stage = self._attendant.stage
        objects = stage.repository.objects
        author = Person(*self._terms.person, int(stage.clock.now().timestamp()))
        commit, made = pack_delta(
            pair,
            scene.commit,
            played.runs,
            played.written,
            author,
            new_nonce(),
            objects.format,
        )
        objects.write(made)
        delta = Undelivered(pair, commit)
        self._courier.note(delta)
        return delta

    def catch_up(self, view: View) -> None:
        """Deliver what an earlier run of this worker has made, in time or late."""
        left = self._courier.left_over(view.scene.number)
        if left is not None:
            self._deliver(left, seen=view)

    def _deliver(self, delta: Undelivered, *, seen: View | None = None) -> None:
        if not self._courier.deliver(delta, lambda: self._halted is not None, seen=seen):
            return
        self._delivered += 1
        self._latest = delta.pair
        self._tell("delivered", delta.pair.frame, f"frame {delta.pair.frame}: delivered")
        self._rounds.hurry()

    def _tell(self, kind: Kind, frame: int, text: str) -> None:
        self._listener(News(kind, frame, text))
