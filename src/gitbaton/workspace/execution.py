"""Runs one command under one claim: renews meanwhile, passes signals on, tells how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from gitbaton.core.errors import BatonError, ClaimLost, UnknownTask
from gitbaton.git.sharing import users_umask
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task

_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True, slots=True)
class Execution:
    """How the command ended: its exit status (128 + n after signal n), and whether the claim
    was taken away meanwhile (``lost`` says by whom)."""

    status: int
    lost: ClaimLost | UnknownTask | None = None


def run_claimed(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    token: Token,
    lease: float,
    renew: Callable[[Sequence[Token]], Mapping[Token, Task | Exception]],
    cwd: Path | None = None,
    stdout: IO[bytes] | int | None = None,
    started: Callable[[int], None] = lambda pid: None,
) -> Execution:
    """Run ``argv`` with ``env`` to its end, renewing ``token`` every third of ``lease`` seconds.

    ``started`` is called with its process id. When the claim is lost the command gets TERM: what
    it does can no longer be published. Raises OSError when the command cannot be started. Must be
    called from the main thread.
    """
    process = _start(argv, env, cwd, stdout)
    renewal = _Renewal(process, token, lease / 3, renew)
    with _signals_to(process), renewal:
        started(process.pid)
        status = process.wait()
    return Execution(_shell_status(status), renewal.lost)


def run_unclaimed(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    stdout: IO[bytes] | int | None = None,
    started: Callable[[int], None] = lambda pid: None,
) -> Execution:
    """Run ``argv`` with ``env`` to its end, under no claim. As ``run_claimed`` otherwise."""
    process = _start(argv, env, cwd, stdout)
    with _signals_to(process):
        started(process.pid)
        status = process.wait()
    return Execution(_shell_status(status))


def _start(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path | None, stdout: IO[bytes] | int | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(list(argv), env=dict(env), cwd=cwd, stdout=stdout, umask=users_umask())


def _shell_status(status: int) -> int:
    return status if status >= 0 else 128 - status


class _Renewal:
    """The thread that renews while the command runs."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        token: Token,
        pause: float,
        renew: Callable[[Sequence[Token]], Mapping[Token, Task | Exception]],
    ) -> None:
        self._process, self._token = process, token
        self._pause, self._renew = pause, renew
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)
        self.lost: ClaimLost | UnknownTask | None = None

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            try:
                outcome = self._renew([self._token])[self._token]
            except BatonError:
                continue  # unreachable, perhaps: the lease has two more thirds
            if isinstance(outcome, ClaimLost | UnknownTask):
                self.lost = outcome
                if not self._over.is_set():
                    self._process.terminate()
                return


@contextmanager
def _signals_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals on to ``process``, and outlive them to record how it ended.

    ^C at a terminal reaches the command by itself, being in the foreground with us.
    """

    def pass_on(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and _in_foreground():
            return
        process.send_signal(number)

    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
