"""A process that is killed while it commits: at a chosen step, or at a chosen moment."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = (
    # Everything by which a commit changes something outside of its own memory.
    (subprocess.Popen, "__init__"),
    (Path, "write_bytes"),
    (Path, "replace"),
    (Path, "unlink"),
    (os, "replace"),
    (os, "unlink"),
    (os, "pwrite"),
    (os, "ftruncate"),
)


def run_until_step(work: Callable[[], object], step: int) -> bool:
    """Run ``work`` in a process that is killed before or after its ``step``-th step.

    Even numbers are before a step, odd ones after it. Return whether it was killed: False when it
    had fewer steps.
    """
    return _fork(lambda: _arm(step), work) == -signal.SIGKILL


def run_until_moment(work: Callable[[], object], seconds: float) -> bool:
    """Run ``work`` in a process that is killed after ``seconds``; return whether it still ran."""
    return _fork(lambda: None, work, kill_after=seconds) == -signal.SIGKILL


def fork(work: Callable[[], object]) -> int:
    """Run ``work`` in a process of its own and return its number."""
    with warnings.catch_warnings():
        # The test runner may have a thread, which the child does not use.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - the status says that there was one
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def join(child: int) -> int:
    """Wait for a process that ``fork`` started; return its exit status, negative for a signal."""
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended)


def _fork(
    prepare: Callable[[], None], work: Callable[[], object], kill_after: float | None = None
) -> int:
    def live() -> None:
        prepare()
        work()

    child = fork(live)
    if kill_after is not None:
        time.sleep(kill_after)  # the moment itself is what is tried
        os.kill(child, signal.SIGKILL)
    code = join(child)
    assert code in (0, -signal.SIGKILL), f"the victim failed by itself ({code})"
    return code


def _arm(step: int) -> None:
    passed = 0

    def count() -> None:
        nonlocal passed
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    for owner, name in STEPS:
        setattr(owner, name, _deadly(getattr(owner, name), count))


def _deadly(function: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        count()
        result = function(*args, **options)
        count()
        return result

    return call


def run_until_call(work: Callable[[], object], owner: Any, name: str) -> bool:
    """Run ``work`` in a process that is killed when it calls ``owner.name``; return whether."""

    def arm() -> None:
        setattr(owner, name, lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL))

    return _fork(arm, work) == -signal.SIGKILL
