"""Runs of ``baton`` as forks of one interpreter that has it loaded: the side of the tests.

See ``forker`` for what such a run is. BATON_COLD=1 starts an interpreter for each run instead, as
`make soak` does; so does a platform without pidfd_open, and an environment that shapes the
interpreter otherwise.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.guards import servers

_ROOT = Path(__file__).parents[2]
_COLD = os.environ.get("BATON_COLD") == "1"  # read now: no test has variables of this kind
_PIECE = 1 << 16
# Read by an interpreter, its allocator or its libraries once, when they start.
_SHAPING = ("PYTHON", "LC_", "LANG", "TZ", "LD_", "MALLOC_", "GLIBC_")


@dataclass(frozen=True)
class Forker:
    """The program that forks, and the socket on which it is told what to run."""

    process: subprocess.Popen[bytes]
    orders: socket.socket
    shape: Mapping[str, str]

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes,
        timeout: float,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run ``baton *words`` to its end, and until nothing holds its output, as subprocess does.

        Raises subprocess.TimeoutExpired after ``timeout`` seconds; the command is killed then.
        """
        order: dict[str, object] = {
            "words": list(words),
            "cwd": os.path.abspath(cwd),
            "env": dict(env),
        }
        order["umask"] = _umask()
        with ExitStack() as open_ends:
            into, *outs = ours = _pipes(self.orders, json.dumps(order).encode())
            for descriptor in ours[1:]:
                open_ends.callback(os.close, descriptor)
            out, err, answer = outs
            told = {descriptor: bytearray() for descriptor in outs}
            if not _converse(into, stdin, told, time.monotonic() + timeout):
                said = bytes(told[answer]) or os.read(answer, _PIECE)  # it may not have begun yet
                os.kill(int(said.split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(words), timeout, bytes(told[out]))
            if told[answer].count(b"\n") != 2:
                raise RuntimeError(f"the program that forks has died: {self.process.communicate()}")
            _, status = told[answer].split()
            return subprocess.CompletedProcess(
                list(words), int(status), bytes(told[out]), bytes(told[err])
            )


def _umask() -> int:
    """Return that of this process. The call for it would set it, beside other threads."""
    told = Path("/proc/self/status").read_text().partition("\nUmask:")[2]
    return int(told.split()[0], 8)


def _pipes(orders: socket.socket, order: bytes) -> list[int]:
    """Send ``order`` with its ends of four pipes, the first to read from; return the others."""
    pairs = [os.pipe() for _ in range(4)]
    theirs = [pairs[0][0], *(write for _, write in pairs[1:])]
    socket.send_fds(orders, [order], theirs)
    for descriptor in theirs:
        os.close(descriptor)
    return [pairs[0][1], *(read for read, _ in pairs[1:])]


def _converse(into: int, text: bytes, told: Mapping[int, bytearray], deadline: float) -> bool:
    """Write ``text``, close ``into``, gather what is ``told``; False if that takes too long."""
    left = memoryview(text)
    os.set_blocking(into, False)
    with selectors.DefaultSelector() as ready:
        ready.register(into, selectors.EVENT_WRITE)
        for descriptor in told:
            ready.register(descriptor, selectors.EVENT_READ)
        while ready.get_map():
            events = ready.select(max(deadline - time.monotonic(), 0.0))
            for key, _ in events:
                if key.fd == into:
                    left = _write(into, left)
                    done = not left
                else:
                    piece = os.read(key.fd, _PIECE)
                    told[key.fd].extend(piece)
                    done = not piece
                if done:
                    ready.unregister(key.fd)
                    if key.fd == into:
                        os.close(into)
            if not events:
                return False
    return True


def _write(into: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(into, left[:_PIECE]) :] if left else left
    except BrokenPipeError:  # not everybody reads what they are given
        return left[:0]


def can_fork(env: Mapping[str, str]) -> bool:
    """Tell whether a fork would be like a process that is started with ``env``."""
    return not _COLD and hasattr(os, "pidfd_open") and _shape(env) == forker().shape


@cache
def forker() -> Forker:
    """Return the program that forks: one for each process that runs tests, and it ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forker.py"), str(theirs.fileno())],
            env=env,
            # An interpreter notes once what its streams are: those of every run will be pipes.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
    servers.add(process.pid)
    atexit.register(_end, process, ours)
    return Forker(process, ours, _shape(env))


def _end(process: subprocess.Popen[bytes], orders: socket.socket) -> None:
    orders.close()
    process.communicate()


def _shape(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_SHAPING)}
