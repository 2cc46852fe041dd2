"""No database is open while the process forks.

SQLite keeps its table of file locks in the process's memory. A child that inherits it believes
that it holds locks which only its parent has, even in connections that it opens itself, and so can
damage the database (https://www.sqlite.org/howtocorrupt.html, 2.6). So a fork waits until no
thread is at work, and the idle connections are closed first; both sides open new ones later.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Idle(Protocol):
    """Something that keeps open connections nobody is using at the moment."""

    def close_idle(self) -> None:
        """Close them."""
        ...


class ForkGate:
    """Lets threads work at once, or one of them fork, never both."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working: dict[int, int] = {}  # thread -> how deep
        self._forking = 0
        self._keepers: weakref.WeakSet[Idle] = weakref.WeakSet()

    def watch(self, keeper: Idle) -> None:
        """Have ``keeper`` close its idle connections before each fork."""
        with self._changed:
            self._keepers.add(keeper)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold off forks by other threads."""
        me = threading.get_ident()
        with self._changed:
            # Who works already may go deeper, or a fork that waits for it would wait for ever.
            self._changed.wait_for(lambda: not self._forking or me in self._working)
            self._working[me] = self._working.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._working[me] -= 1
                if not self._working[me]:
                    del self._working[me]
                self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait until no other thread works, then keep all out until the fork is over."""
        self._changed.acquire()
        self._forking += 1
        self._changed.wait_for(lambda: self._working.keys() <= {threading.get_ident()})
        for keeper in list(self._keepers):
            keeper.close_idle()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        self._forking -= 1
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Start afresh: the threads that waited here were not copied."""
        self._changed = threading.Condition()
        self._forking = 0


GATE = ForkGate()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=GATE.before_fork,
        after_in_parent=GATE.after_fork_in_parent,
        after_in_child=GATE.after_fork_in_child,
    )
