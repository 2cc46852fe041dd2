"""A server that dies when told: ``python -m … DATABASE PLAN``.

PLAN is a file with one word for each server that is started, in their order: ``ok`` (as well when
there is none left), ``before`` (dies when asked for a commit), ``after`` (dies when the commit is
on the disk, before it says so), ``deaf`` (dies when asked to read), ``absent`` (does not greet).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Nonce
from gitbaton.store.model import Outcome, Snapshot, Transaction
from gitbaton.store.sqlite import SqliteStore
from gitbaton.store.ssh.serving import serve


class DyingStore(SqliteStore):
    """The real store, in a process that dies at the moment ``word`` says."""

    word = "ok"

    def read(self, prefix: str = "") -> Snapshot:
        if self.word == "deaf":
            die()
        return super().read(prefix)

    def commit_as(
        self, names: Sequence[Nonce | None], transactions: Sequence[Transaction]
    ) -> list[Outcome]:
        if self.word == "before":
            die()
        outcomes = super().commit_as(names, transactions)
        if self.word == "after":
            die()
        return outcomes


def die() -> None:
    """Be gone, without a last word."""
    os.kill(os.getpid(), signal.SIGKILL)


def next_word(plan: Path) -> str:
    """Return what this server is to do, and leave the rest to those after it."""
    words = plan.read_text().split()
    plan.write_text(" ".join(words[1:]))
    return words[0] if words else "ok"


if __name__ == "__main__":
    word = next_word(Path(sys.argv[2]))
    if word == "absent":
        sys.exit("not today")
    store = DyingStore(Path(sys.argv[1]), clock=SystemClock())
    store.word = word
    serve(store, sys.stdin.buffer, sys.stdout.buffer, version="test")
