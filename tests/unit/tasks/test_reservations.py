"""The record of reserved paths: what holds, what is void, what collides."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import DamagedRecord
from gitbaton.store.model import Key
from gitbaton.tasks.reservations import (
    Reservation,
    collision,
    decode_reservations,
    encode_reservations,
    is_entered,
    reserve,
    standing,
)
from tests.unit.tasks.desk import claimed, task, view_of


def entry(name: str, epoch: int = 1, *paths: str) -> Reservation:
    return Reservation(task=name, epoch=epoch, paths=paths or ("src/**",))


def test_decoding_is_the_inverse_of_encoding() -> None:
    entries = (entry("a"), entry("b", 2, "x", "y"))
    assert decode_reservations(encode_reservations(entries)) == entries


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"format": 2, "entries": []},
        {"format": 1, "entries": [{"task": "a"}]},
        {"format": 1, "entries": "x"},
    ],
)
def test_a_broken_record_is_damaged(value: dict[str, object]) -> None:
    with pytest.raises(DamagedRecord, match="locks/paths"):
        decode_reservations(value)


def test_entries_of_ended_claims_are_void() -> None:
    view = view_of(task("a"), claimed("b", epoch=3, paths=("lib/**",)), task("c", status="done"))
    assert standing([entry("a"), entry("b", 2), entry("c"), entry("gone")], view) == [
        entry("b", 3, "lib/**")
    ]


def test_entries_of_tasks_nobody_can_read_hold() -> None:
    view = view_of(damaged={Key("tasks/bad"): "broken"})
    assert standing([entry("bad")], view) == [entry("bad")]


def test_what_is_in_progress_but_not_entered_holds() -> None:
    assert standing([], view_of(claimed("a", paths=("x",)))) == [entry("a", 1, "x")]


def test_a_task_does_not_collide_with_itself() -> None:
    t = task("a", paths=("src/a.py",))
    assert collision(t, [entry("a")]) is None
    found = collision(t, [entry("b", 1, "docs/**"), entry("c")])
    assert found is not None
    assert found == (entry("c"), ("src/a.py", "src/**", "src/a.py"))


def test_reserving_enters_the_claim_once() -> None:
    t = claimed("a", epoch=2, paths=("lib/**",))
    entries = decode_reservations(reserve([entry("a", 1), entry("b")], t))
    assert entries == (entry("a", 2, "lib/**"), entry("b"))
    assert is_entered(entries, t)
    assert not is_entered([entry("a", 1)], t)
