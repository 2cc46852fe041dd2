"""Takes a lab down when its owner is gone, in whatever way: killed, ended, or done.

A process of its own, at the other end of a pipe that only the owner holds. Lines on the pipe name
what there is; at its end everything goes.

    mark WORD         what has this word in its environment, as MARK
    process PID       this process and its children
    namespace NAME    this network namespace and what runs in it
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.integration.machines.machine import MARK

_ROUNDS = 40  # what is killed may have started something just before
_PAUSE = 0.05  # seconds


class Guardian:
    """The owner's end. Ends the lab when it is closed, or with this process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.machines.guardian"],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, kind: str, name: str) -> None:
        """Name something that must go, before or after it is made."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {name}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Take the lab down, and return when nothing is left of it. Again: nothing happens."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait()
        assert status == 0, f"the guardian ended with {status}"


def marked(word: str) -> Iterator[psutil.Process]:
    """Yield the processes on machines of the lab ``word``, or on the one machine ``LAB/NAME``."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            found = process.environ().get(MARK, "")
            if found == word or found.startswith(f"{word}/"):
                yield process


def inside(namespace: str) -> list[psutil.Process]:
    """Return the processes in a network namespace; none if it does not exist."""
    asked = subprocess.run(
        ["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False
    )
    found = []
    for number in asked.stdout.split():
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(int(number)))
    return found


def remove(namespace: str) -> None:
    """End what runs in the namespace, and delete it. It may never have been made."""
    _clear(lambda: inside(namespace))
    subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


def _clear(find: Callable[[], Iterable[psutil.Process]]) -> None:
    """Kill what ``find`` finds until that is nothing."""
    for _ in range(_ROUNDS):
        found = list(find())
        if not found:
            return
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(_PAUSE)


def _family(number: int) -> list[psutil.Process]:
    """Return a process and what came of it; nothing of one that is dead, even if unburied."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        if process.status() != psutil.STATUS_ZOMBIE:
            return [*process.children(recursive=True), process]
    return []


def _end(kind: str, name: str) -> None:
    if kind == "namespace":
        remove(name)
    elif kind == "process":
        _clear(lambda: _family(int(name)))
    else:
        _clear(lambda: marked(name))


def main() -> None:
    """Read what there is until the owner is gone; then end it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    things = [line.split() for line in sys.stdin]
    for kind, name in things:
        _end(kind, name)


if __name__ == "__main__":
    main()
