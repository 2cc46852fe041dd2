"""Doorbells are answered at once, whatever they say; free texts when a slot is free."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.tasks.model import encode_task
from tests.unit.serving.station import Station
from tests.unit.tasks.desk import ANN, who


def test_a_doorbell_claims_by_id_and_a_copy_is_harmless() -> None:
    station = Station()
    station.desk.add("first", priority=0)
    station.desk.add("called")
    bell = station.send("claim called", task="called", id="called/0/gpu-1")
    station.attend()
    assert station.answer(bell) == "claimed"
    assert station.desk.queue.get("called").claim is not None
    assert station.desk.queue.get("first").claim is None, "that is for those who pull"
    again = station.send("claim called", task="called", id="another")
    station.attend()
    assert station.answer(again) == "claimed", "it has it"
    assert station.desk.queue.get("called").epoch == 1


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        (("worker+gpu-2",), "refused: task 't' is not ready: it requires 'worker+gpu-2'"),
        (("tpu",), "refused: task 't' is not ready: it requires 'tpu'"),
        (("toolchain+shop",), "refused: task 't' is not ready: it requires 'toolchain+shop'"),
    ],
)
def test_what_this_worker_may_not_take(requires: tuple[str, ...], words: str) -> None:
    station = Station()
    station.desk.add("t", requires=requires)
    bell = station.send(task="t")
    station.attend()
    assert (station.answer(bell) or "").startswith(words)
    assert station.desk.queue.get("t").claim is None


def test_the_other_answers() -> None:
    station = Station()
    station.desk.add("theirs")
    station.desk.other.claim(who("eve", worker="w9"), ids=["theirs"])
    station.desk.add("mine")
    station.desk.add("later", needs=("mine",))
    bells = {task: station.send(task=task) for task in ("theirs", "nowhere", "later", "mine")}
    station.attend()
    answers = {task: station.answer(bell) for task, bell in bells.items()}
    assert answers["theirs"] == "held: eve has it"
    assert (answers["nowhere"] or "").startswith("refused: there is no task 'nowhere'")
    assert (answers["later"] or "").startswith("refused: task 'later' is not ready: it needs mine")
    assert answers["mine"] == "claimed"
    station.desk.add("more")
    full = station.send(task="more")
    station.attend()
    assert station.answer(full) == "busy: no slot is free"
    station.floor.names.clear()  # as after a restart: the claim is still there
    again = station.send(task="mine", id="again")
    station.attend()
    assert station.answer(again) == "claimed", "by its own name"
    station.floor.draining = True
    last = station.send(task="more", id="last")
    station.attend()
    assert station.answer(last) == "refused: it is draining"


def test_a_slot_that_still_ends_a_lost_claim_has_not_claimed_it() -> None:
    """Never a wrong answer about who won: the record says it, not what the slots are busy with."""
    station = Station()
    station.desk.add("t")
    station.floor.engage("t")
    station.desk.queue.cancel("t", None, actor=ANN)
    bell = station.send(task="t")
    station.attend()
    assert station.answer(bell) == "held: it is cancelled"


def test_a_plan_that_is_new_is_looked_up_before_its_phase_is_refused() -> None:
    station = Station(python="3.11.2")
    phase = station.desk.add("shop.x", requires=("toolchain+shop",))
    station.desk.put(phase.key, encode_task(replace(phase, plan="shop")))
    station.announce("shop", python=">=3.11")
    bell = station.send(task="shop.x")
    station.attend()
    assert station.answer(bell) == "claimed"


def test_while_the_remote_is_away_a_bell_waits() -> None:
    station = Station()
    station.desk.add("t")
    bell = station.send(task="t")

    def away() -> None:
        raise RemoteUnreachable("the line is down")

    station.desk.store.forgetful = True
    station.desk.store.after_read = away
    station.attend()
    assert station.answer(bell) is None
    assert [event.text for event in station.events] == ["inbox: the line is down"]
    station.attend()
    assert station.answer(bell) == "claimed"


def test_free_texts_wait_for_a_slot_and_doorbells_do_not() -> None:
    station = Station()
    station.floor.names.append("busy")
    text = station.send("how is it going?")
    station.desk.add("t")
    bell = station.send(task="t")
    station.attend()
    assert (station.answer(text), station.answer(bell)) == (None, "busy: no slot is free")
    assert station.errands.given == []
    station.floor.names.clear()
    station.mailroom.attend(station.floor)  # at once: a slot has become free
    assert [message.text for message in station.errands.given] == ["how is it going?"]
    assert station.floor.names == [f"message-{text[:12]}"]


@pytest.mark.parametrize("hindrance", ["draining", "unfit", "away"])
def test_free_texts_are_left_to_others(hindrance: str) -> None:
    """What this worker cannot answer now is not taken: the next reader gets it at once."""
    station = Station(required={"node": "*"} if hindrance == "unfit" else None)
    station.floor.draining = hindrance == "draining"
    station.errands.able = hindrance != "away"
    station.send("how is it going?")
    station.attend()
    assert station.errands.given == []
    assert station.inbox.take("other", {""}, lease=60.0) is not None
