"""Choosing among alternatives on a real remote that answers in unexpected ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError
from gitbaton.git.objects import RawObject
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, Remote
from gitbaton.store.gitengine import GitStore
from gitbaton.store.model import Committed, Transaction, Unknown, make_key

from .place import Forwarding, Place, change, create

NAMES = "abcd"


class Locked(Forwarding):
    """A remote on which refs are locked until the next look, as while it packs its refs."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.locks: list[Path] = []
        self.lose = 0  # which push from now on gets no answer; 0: none

    def lock(self, *refs: Path) -> None:
        self.locks = [ref.with_name(f"{ref.name}.lock") for ref in refs]
        for lock in self.locks:
            lock.touch()

    def list(self, prefixes: Sequence[str]) -> Listing:
        for lock in self.locks:
            lock.unlink(missing_ok=True)
        return self.inner.list(prefixes)

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        fates = self.inner.push_chosen(choose)
        self.lose -= 1
        if self.lose == 0:
            return dict.fromkeys(fates, RefResult(PushState.UNKNOWN, "cut"))
        return fates


def open_locked(place: Place) -> tuple[GitStore, Locked]:
    made: list[Locked] = []

    def wrap(remote: Remote) -> Remote:
        made.append(Locked(remote))
        return made[-1]

    return place.store(wrap=wrap), made[0]


def alternatives(store: GitStore) -> list[Transaction]:
    found = {name: create(store, name) for name in NAMES}
    keys = {name: make_key("tasks", name) for name in NAMES}
    return [change({keys[n]: found[n]}, {keys[n]: {"n": 1}}) for n in NAMES]


@pytest.mark.parametrize(("count", "lose"), [(1, 0), (2, 2)])
def test_locks_that_go_away_do_not_make_more_winners_than_are_wanted(
    place: Place, count: int, lose: int
) -> None:
    """I1: who is given more claims than wanted drops some, and nobody has them until they end.

    A ref that is locked looks like a lost race, so the next ones are tried; with ``lose`` the
    answer to one of those pushes is lost as well.
    """
    store, remote = open_locked(place)
    wanted = alternatives(store)
    remote.lock(*(place.remote / f"refs/baton/tasks/{name}" for name in NAMES))
    remote.lose = lose
    choices = store.commit_first(wanted, count)
    assert sum(isinstance(choice, Committed) for choice in choices) == count
    moved = [r.value for r in store.read().records.values() if r.value == {"n": 1}]
    assert len(moved) == count


def test_what_could_not_be_planned_is_not_called_unknown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I4: nothing was sent, so the error is told, and nobody has to wonder who won."""
    store, _ = open_locked(place)
    wanted = alternatives(store)
    repository = store._committer._repository
    write, written = repository.objects.write, list[RawObject]()

    def fail(objects: Iterable[RawObject]) -> None:
        written.extend(objects)
        if sum(item.kind == "commit" for item in written) > 1:
            raise BatonError("the disk is full")
        write(written)

    monkeypatch.setattr(repository.objects, "write", fail)
    with pytest.raises(BatonError, match="the disk is full"):
        store.commit_first(wanted, 2)
    monkeypatch.undo()
    choices = store.commit_first(wanted, 2)
    assert not any(isinstance(choice, Unknown) for choice in choices)
    assert sum(isinstance(choice, Committed) for choice in choices) == 2
