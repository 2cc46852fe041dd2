"""Whether the remote answers, as all slots of a worker know it: none waits long to find out.

A link that was cut is silent: a transport waits 15 to 25 seconds before it gives up. A result can
wait in the outbox instead, and its slot go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from gitbaton.core.clock import Clock
from gitbaton.core.errors import RemoteUnreachable

PATIENCE: Final = 5.0  # seconds that a slot waits for an answer
_LATELY: Final = 15.0  # seconds for which nobody asks again after a failure
_FRESH: Final = 30.0  # seconds for which an answer shows that the remote is there

T = TypeVar("T")


@dataclass(slots=True)
class _Asked(Generic[T]):
    answered: threading.Event = field(default_factory=threading.Event)
    answers: list[T] = field(default_factory=list)
    error: Exception | None = None


class Reach:
    """Asks the remote, for a bounded time. Thread-safe."""

    def __init__(
        self, probe: Callable[[], object], clock: Clock, *, patience: float = PATIENCE
    ) -> None:
        """``probe`` asks the remote something that changes nothing; raises RemoteUnreachable."""
        self._probe, self._clock, self._patience = probe, clock, patience
        self._lock = threading.Lock()
        self._heard: float | None = None
        self._missed: tuple[float, str] | None = None  # since it was heard: when, and why

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer to ``question``, which changes nothing; raise what it raises.

        Raises RemoteUnreachable when there is none in time. A late answer counts as heard.
        """
        asked: _Asked[T] = _Asked()
        threading.Thread(target=self._run, args=(question, asked), daemon=True).start()
        if not asked.answered.wait(self._patience):
            silent = RemoteUnreachable(f"the remote has not answered for {self._patience:g}s")
            self._note(silent)
            raise silent
        if asked.error is not None:
            raise asked.error
        return asked.answers[0]

    def require(self) -> None:
        """Raise RemoteUnreachable if the remote was away a moment ago, or does not answer now."""
        now = self._clock.elapsed()
        with self._lock:
            heard, missed = self._heard, self._missed
        if missed is not None and now - missed[0] < _LATELY:
            raise RemoteUnreachable(missed[1])
        if missed is not None or heard is None or now - heard > _FRESH:
            self.ask(self._probe)

    def _run(self, question: Callable[[], T], asked: _Asked[T]) -> None:
        try:
            asked.answers.append(question())
            self._note(None)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            asked.error = error
            self._note(error)
        finally:
            asked.answered.set()

    def _note(self, error: Exception | None) -> None:
        now = self._clock.elapsed()
        with self._lock:
            if isinstance(error, RemoteUnreachable):
                self._missed = now, error.message
            else:  # also a refusal is an answer
                self._heard, self._missed = now, None
