"""Renews claims for as long as a process lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, ClaimLost, UnknownTask
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task

_LOOK = 1.0  # seconds between looks at the process
_AGAIN = 15.0  # seconds at most until a renewal that failed is tried again


def keep_claims(
    renew: Callable[[Sequence[Token]], Mapping[Token, Task | Exception]],
    tokens: Mapping[Token, float],
    *,
    lives: Callable[[], bool],
    clock: Clock,
    renewed: Callable[[Token], None] = lambda _: None,
) -> None:
    """Renew ``tokens`` (token -> lease in seconds) every third of the shortest lease.

    Returns when ``lives`` says no more, or when every claim is lost or ended. A remote that
    cannot be reached is no reason to stop. ``renewed`` is told of each success.
    """
    left = dict(tokens)
    due = clock.elapsed() + _interval(left)
    while left and lives():
        clock.sleep(min(_LOOK, max(due - clock.elapsed(), 0.0)))
        if clock.elapsed() < due or not lives():
            continue
        failed = False
        for token, outcome in _attempt(renew, list(left)).items():
            if isinstance(outcome, Task):
                renewed(token)
            elif isinstance(outcome, ClaimLost | UnknownTask):
                del left[token]
            else:
                failed = True
        pause = _interval(left)
        due = clock.elapsed() + (min(pause, _AGAIN) if failed else pause)


def _interval(tokens: Mapping[Token, float]) -> float:
    return min(tokens.values(), default=0.0) / 3


def _attempt(
    renew: Callable[[Sequence[Token]], Mapping[Token, Task | Exception]], tokens: Sequence[Token]
) -> Mapping[Token, Task | Exception]:
    try:
        return renew(tokens)
    except BatonError as error:
        return dict.fromkeys(tokens, error)
