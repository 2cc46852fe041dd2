"""Random histories: each engine against a dictionary that cannot be wrong."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Committed,
    Conflict,
    Delete,
    Key,
    Record,
    Transaction,
    Value,
    Version,
    make_key,
)

from .changes import change
from .engines import Engine, find_engine

TASKS = [make_key("tasks", name) for name in ("a", "b", "c")]
OTHERS = [make_key("locks", "a"), make_key("workers", "a b/c")]
KEYS = TASKS + OTHERS


class StoreMachine(RuleBasedStateMachine):
    """Two handles on one store do what they like; the model says what must come of it."""

    engine: Engine
    sites: itertools.count[int]
    root: Path

    def __init__(self) -> None:
        super().__init__()
        site = self.root / f"site-{next(self.sites)}"
        site.mkdir()
        self.engine.prepare(site)
        self.handles = [self.engine.open(site, 0), self.engine.open(site, 1)]
        self.records: dict[Key, Record] = {}
        self.news: dict[Key, list[Value | None]] = {}
        self.beats: set[Version] = set()
        self.versions: list[Version] = []

    def teardown(self) -> None:
        for handle in self.handles:
            handle.close()

    @rule(data=st.data(), by=st.integers(0, 1), heartbeat=st.booleans())
    def commit(self, data: st.DataObject, by: int, *, heartbeat: bool) -> None:
        """One call with up to three transactions on different keys, some of them stale."""
        groups: dict[int, list[Key]] = {}
        for key in data.draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True)):
            groups.setdefault(data.draw(st.integers(0, 2)), []).append(key)
        wishes = []
        for keys in groups.values():
            expect = {key: self._expectation(data, key) for key in keys}
            write = {key: self._value(data, key, expected) for key, expected in expect.items()}
            renews = ABSENT not in expect.values() and DELETE not in write.values()
            wishes.append(change(expect, write, heartbeat=heartbeat and renews))
        outcomes = self.handles[by].commit(wishes)
        for wish, outcome in zip(wishes, outcomes, strict=True):
            present = {key: self.records.get(key, ABSENT) for key in wish.expect}
            stale = {
                key: found
                for key, found in present.items()
                if wish.expect[key] != (found if isinstance(found, Absent) else found.version)
            }
            if stale:
                assert outcome == Conflict(stale)
            else:
                assert isinstance(outcome, Committed)
                self._follow(wish, outcome)

    @rule(by=st.integers(0, 1), force=st.booleans())
    def tidy(self, by: int, *, force: bool) -> None:
        """Upkeep, at any moment, by anybody."""
        self.handles[by].tidy(force=force)

    @rule(by=st.integers(0, 1), prefix=st.sampled_from(["", "tasks/", "locks/", "tasks/a", "w"]))
    def read(self, by: int, prefix: str) -> None:
        """A part of the records."""
        expected = {k: record for k, record in self.records.items() if k.startswith(prefix)}
        assert self.handles[by].read(prefix).records == expected

    @rule(by=st.integers(0, 1), key=st.sampled_from(KEYS))
    def history(self, by: int, key: Key) -> None:
        """All news, newest first; of the heartbeats, perhaps some."""
        changes = self.handles[by].history(key)
        news = [change.value for change in changes if change.version not in self.beats]
        assert news == self.news.get(key, [])[::-1]

    @invariant()
    def the_records_are_the_model(self) -> None:
        """I6: each handle sees each commit at once, whole."""
        for handle in self.handles:
            assert handle.read().records == self.records

    @invariant()
    def no_version_was_given_twice(self) -> None:
        """I1."""
        assert len(self.versions) == len(set(self.versions))

    def _expectation(self, data: st.DataObject, key: Key) -> Version | Absent:
        """Mostly the truth; else an old version, that of another record, or ABSENT."""
        record = self.records.get(key)
        if data.draw(st.integers(0, 3)):
            return ABSENT if record is None else record.version
        claims: list[Version | Absent] = [ABSENT, *self.versions]
        return data.draw(st.sampled_from(claims))

    def _value(self, data: st.DataObject, key: Key, expected: Version | Absent) -> Value | Delete:
        if key in TASKS and expected is not ABSENT and data.draw(st.booleans()):
            return DELETE
        # Few values, so that equal ones are written again and again.
        return {"n": data.draw(st.integers(0, 2))}

    def _follow(self, wish: Transaction, outcome: Committed) -> None:
        kept = {key for key, value in wish.write.items() if value is not DELETE}
        assert outcome.versions.keys() == kept
        for key, value in wish.write.items():
            if isinstance(value, Delete):
                del self.records[key]
            else:
                self.records[key] = Record(outcome.versions[key], value)
                self.versions.append(outcome.versions[key])
            if wish.heartbeat:
                self.beats.add(outcome.versions[key])
            else:
                self.news.setdefault(key, []).append(None if value is DELETE else value)


def try_histories(engine: Engine, root: Path, *, shrink: bool = True) -> None:
    """Run the machine on ``engine``; raises AssertionError where it leaves the model."""

    class Machine(StoreMachine):
        pass

    Machine.engine, Machine.root, Machine.sites = engine, root, itertools.count()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=engine.examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=not shrink,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_history_is_that_of_the_model(engine: Engine, tmp_path: Path) -> None:
    """I1, I3, I6."""
    try_histories(engine, tmp_path)


@pytest.mark.parametrize("mutant_name", ["careless-memory", "careless-sqlite"])
def test_a_mutant_leaves_the_model(mutant_name: str, tmp_path: Path) -> None:
    """The machine can fail: it finds the engine that ignores the expected version."""
    with pytest.raises((AssertionError, KeyError)):
        try_histories(find_engine(mutant_name), tmp_path, shrink=False)
