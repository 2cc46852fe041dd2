"""An attendant's steps one after the other, in a thread of their own or in the caller's."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from gitbaton.core.errors import BatonError, DamagedRecord, InvalidInput, RemoteUnreachable
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.news import Kind, Listener, News
from gitbaton.frames.pace import pause, retry
from gitbaton.frames.stage import View


class Rounds:
    """Steps until it is stopped or cannot go on; others wait here for what the steps show."""

    def __init__(self, attendant: Attendant, listener: Listener, rng: random.Random) -> None:
        self._attendant = attendant
        self._listener = listener
        self._rng = rng
        self._wake = threading.Event()
        self._changed = threading.Condition()
        self._view: View | None = None
        self._failures = 0
        self._over = False
        self._trouble: BaseException | None = None

    def run(self, *, until: Callable[[View], bool] = lambda view: False) -> None:
        """Step until ``stop``, or until a step shows what ``until`` wants.

        Raises what makes it impossible to go on; an unreachable remote does not.
        """
        while not self._over:
            seconds = self._step()
            if self._view is not None and until(self._view):
                return
            self._wake.wait(seconds)
            self._wake.clear()

    def run_beside(self) -> threading.Thread:
        """Do the same in a thread; what goes wrong there is raised to whoever waits."""
        thread = threading.Thread(target=self._run_quietly, name="frame rounds", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End after the step under way. May be called from a signal handler."""
        self._over = True
        self._wake.set()

    def hurry(self) -> None:
        """Take the next step now."""
        self._wake.set()

    def await_view(self, wanted: Callable[[View], bool]) -> View | None:
        """Wait for a look that shows what is ``wanted``; None when the rounds are over.

        Raises what ended them.
        """
        with self._changed:
            while True:
                if self._trouble is not None:
                    raise self._trouble
                if self._over:
                    return None
                if self._view is not None and wanted(self._view):
                    return self._view
                self._changed.wait(0.5)  # a signal handler may stop us without a word

    def pause(self, failures: int) -> None:
        """Wait before trying again what failed ``failures`` times in a row, or until ``stop``."""
        if not self._over:
            self._wake.wait(retry(failures, rng=self._rng))

    def _step(self) -> float:
        """Take one step; return for how many seconds to wait then."""
        attendant = self._attendant
        published = attendant.published
        try:
            view = attendant.step()
        except RemoteUnreachable as error:
            return self._fail_for_now("offline", error)
        except (DamagedRecord, InvalidInput) as error:
            if self._view is None:
                raise
            # Somebody has broken a file of the world; somebody will mend it.
            return self._fail_for_now("trouble", error)
        if self._failures:
            self._listener(News("online", view.scene.number, "the remote answers again"))
        self._failures = 0
        with self._changed:
            self._view = view
            self._changed.notify_all()
        if attendant.published > published:
            return 0.0  # the next frame is there
        if attendant.balked > 1:
            return retry(attendant.balked - 1, rng=self._rng)  # each merges everything anew
        scene, sight = view.scene, view.sight
        delivered = {pair.worker for pair in sight.deltas if pair.frame == scene.number}
        awaited = scene.engaged
        return pause(
            attendant.watch.elapsed(scene.number, sight),
            lease=scene.config.lease,
            rng=self._rng,
            missing=len(awaited - delivered) / len(awaited) if awaited else 1.0,
            leads=attendant.leads,
        )

    def _fail_for_now(self, kind: Kind, error: BatonError) -> float:
        self._failures += 1
        if self._failures == 1:
            self._listener(News(kind, self._number, error.message))
        return retry(self._failures, rng=self._rng)

    @property
    def _number(self) -> int:
        return self._view.scene.number if self._view is not None else 0

    def _run_quietly(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - it is raised to whoever waits
            with self._changed:
                self._trouble = error
                self._changed.notify_all()
