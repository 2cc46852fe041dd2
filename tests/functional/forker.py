"""A program that has ``baton`` loaded, and forks for each run of it that it is told of.

Starting an interpreter and importing is most of a short command, and the tests run thousands. A
fork is a process of its own, with the words, directory, environment, umask and streams that it was
told; all that it shares is what has been imported. It leaves the loop, calls the ``main`` that
`python -m gitbaton.cli` calls, and its interpreter ends as that of any program does.

Each message on the socket is one run: a JSON document, and four descriptors (the three streams, and
a pipe for the answer). The answer is two lines: the process id at once, and then how it ended, as
subprocess has it. The program ends when the other side closes the socket.
Sources: unix(7), pidfd_open(2).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import sys
from dataclasses import dataclass

from gitbaton.cli.main import main

_LONGEST = 1 << 20
# What most commands import. More would cost every fork: it copies the pages that it touches.
_LOADED = ("app", "cli.verbs", "core", "git", "store", "tasks")


@dataclass(frozen=True)
class Run:
    """One command to run, and the descriptors for its streams and for the answer."""

    words: list[str]
    cwd: str
    env: dict[str, str]
    umask: int
    streams: list[int]
    answer: int

    @classmethod
    def receive(cls, orders: socket.socket) -> Run | None:
        """Wait for the next one; None when there will be no more."""
        data, descriptors, _, _ = socket.recv_fds(orders, _LONGEST, 4)
        if not data:
            return None
        *streams, answer = descriptors
        return cls(**json.loads(data), streams=streams, answer=answer)

    def leave(self) -> None:
        """Close the streams here: they are the child's."""
        for descriptor in self.streams:
            os.close(descriptor)

    def become(self) -> None:
        """Make this process what it would be if it had been started for this run."""
        for number, descriptor in enumerate(self.streams):
            os.dup2(descriptor, number)
        self.leave()
        os.close(self.answer)
        os.chdir(self.cwd)
        os.umask(self.umask)
        os.environ.clear()
        os.environ.update(self.env)
        sys.argv = ["baton", *self.words]
        sys.path[0] = os.getcwd()


@dataclass(frozen=True)
class Child:
    """A run under way, seen from the parent."""

    pid: int
    handle: int
    run: Run

    def tell(self, number: int) -> None:
        """Write one line of the answer."""
        try:
            os.write(self.run.answer, b"%d\n" % number)
        except BrokenPipeError:
            pass  # nobody waits for it any more

    def reap(self) -> None:
        """Take the status of the process that has ended, and tell it."""
        _, status = os.waitpid(self.pid, 0)
        self.tell(os.waitstatus_to_exitcode(status))
        self.close()

    def close(self) -> None:
        """Forget it."""
        os.close(self.handle)
        os.close(self.run.answer)


def serve(orders: socket.socket) -> Run | None:
    """Fork for each run. Returns it in the child; in the parent, at the end, None."""
    children: dict[int, Child] = {}
    with orders, selectors.DefaultSelector() as ready:
        ready.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd in children:
                    ready.unregister(key.fd)
                    children.pop(key.fd).reap()
                    continue
                run = Run.receive(orders)
                if run is None:
                    return None
                pid = os.fork()
                if pid == 0:
                    for other in children.values():
                        other.close()
                    return run
                run.leave()
                child = Child(pid, os.pidfd_open(pid), run)
                child.tell(pid)
                children[child.handle] = child
                ready.register(child.handle, selectors.EVENT_READ)


def load() -> None:
    """Import what most commands need, so that no fork has to."""
    for name in _LOADED:
        module = importlib.import_module(f"gitbaton.{name}")
        for inner in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            importlib.import_module(inner.name)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page


if __name__ == "__main__":
    load()
    its_own = serve(socket.socket(fileno=int(sys.argv[1])))
    if its_own is not None:
        its_own.become()
        main()
