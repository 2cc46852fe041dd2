"""The engines under contract, and their mutants: variants that must fail it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.store.grouping import GroupingStore
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Key, Transaction, Version
from gitbaton.store.protocol import Store
from gitbaton.store.sqlite import SqliteStore

from .gitsite import open_careless_git, open_git, open_git_plain, prepare_git
from .pipesite import open_careless_pipe, open_pipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """How the suite makes and opens one engine.

    A *site* is an empty directory in which a store may keep whatever it shares. ``prepare``
    is called once for each site (on git: make the remote and the clones). ``open`` returns a
    handle as seen from clone number 0-3, in any process; an engine without clones ignores the
    number. Records are of the collections ``tasks`` (created, changed, deleted) and ``locks``,
    ``workers`` (created and changed only); their values mean nothing.
    """

    open: Callable[[Path, int], Store]
    prepare: Callable[[Path], None] = lambda site: None
    processes: bool = True  # False: shared by the threads of one process only
    rounds: int = 10  # how much each racer does
    examples: int = 100  # how many random histories are tried against the model


def open_memory(site: Path, clone: int = 0) -> Store:
    """Return the one memory store of ``site``."""
    return _MEMORY.setdefault((MemoryStore, site), MemoryStore(clock=SystemClock()))


def open_grouped(site: Path, clone: int = 0) -> Store:
    """Return the one memory store of ``site``, whose threads share commits."""
    return _GROUPED.setdefault(site, GroupingStore(open_memory(site), clock=SystemClock()))


def open_sqlite(site: Path, clone: int = 0) -> Store:
    """Return a new handle on the database of ``site``."""
    return SqliteStore(site / "state" / "store.db", clock=SystemClock())


class CarelessMemoryStore(MemoryStore):
    """A mutant: it takes every change, whatever version it expects."""

    def _stale(self, transaction: Transaction, present: Mapping[Key, Version]) -> list[Key]:
        return []


class CarelessSqliteStore(SqliteStore):
    """A mutant: it takes every change, whatever version it expects."""

    def _stale(self, transaction: Transaction, present: Mapping[Key, Version]) -> list[Key]:
        return []


def open_careless_memory(site: Path, clone: int = 0) -> Store:
    """Return the one careless memory store of ``site``."""
    careless = CarelessMemoryStore(clock=SystemClock())
    return _MEMORY.setdefault((CarelessMemoryStore, site), careless)


def open_careless_sqlite(site: Path, clone: int = 0) -> Store:
    """Return a new careless handle on the database of ``site``."""
    return CarelessSqliteStore(site / "state" / "store.db", clock=SystemClock())


_MEMORY: dict[tuple[type[MemoryStore], Path], MemoryStore] = {}
_GROUPED: dict[Path, GroupingStore] = {}

ENGINES: Mapping[str, Engine] = {
    "memory": Engine(open=open_memory, processes=False),
    "grouped": Engine(open=open_grouped, processes=False),
    "sqlite": Engine(open=open_sqlite),
    "git": Engine(open=open_git, prepare=prepare_git, rounds=2, examples=8),
    "git-plain": Engine(open=open_git_plain, prepare=prepare_git, rounds=2, examples=3),
    "ssh": Engine(open=open_pipe, rounds=2, examples=3),
}

MUTANTS: Mapping[str, Engine] = {
    "careless-memory": Engine(open=open_careless_memory, processes=False, rounds=2),
    "careless-sqlite": Engine(open=open_careless_sqlite, rounds=2),
    "careless-git": Engine(open=open_careless_git, prepare=prepare_git, rounds=2),
    "careless-ssh": Engine(open=open_careless_pipe, rounds=2),
}


def find_engine(name: str) -> Engine:
    """Return the engine or mutant called ``name``."""
    return ENGINES[name] if name in ENGINES else MUTANTS[name]
