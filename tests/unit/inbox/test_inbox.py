"""An inbox on a store in memory: every way through a message's life."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import ClaimLost, OutcomeUnknown, Refused
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.model import Draft, Message
from gitbaton.plans.inbox.records import delivery_key, letter_key
from gitbaton.plans.inbox.rules import WINDOW
from gitbaton.store.model import ABSENT, Actor, Transaction, make_key
from gitbaton.store.sqlite import SqliteStore
from tests.unit.inbox.lossy import LossyStore

HERE = frozenset({""})
DAY = 86_400.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> LossyStore:
    return LossyStore(clock=clock)


@pytest.fixture
def inbox(store: LossyStore, clock: ManualClock) -> Inbox:
    return Inbox(store, clock, own=True)


def say(text: str = "hello", **fields: Any) -> Draft:
    return make_draft(**{"sender": "ada", "text": text, **fields})


def taken(inbox: Inbox, reader: str = "bob", lease: float = 60.0) -> Message:
    message = inbox.take(reader, HERE, lease=lease)
    assert message is not None
    return message


def test_a_message_is_delivered_and_answered(inbox: Inbox) -> None:
    receipt = inbox.send(say("what time is it?", id="1"))
    assert not receipt.copy
    assert inbox.response(receipt.handle) is None
    message = taken(inbox)
    assert (message.handle, message.text) == (receipt.handle, "what time is it?")
    assert inbox.take("eve", HERE, lease=60) is None, "it is in somebody's hands"
    response = inbox.answer(message, "noon")
    assert inbox.response(receipt.handle) == response
    assert (response.text, response.by, response.delivery) == ("noon", "bob", 1)
    assert inbox.take("eve", HERE, lease=60) is None


@pytest.mark.parametrize("id", ["1", None])
def test_a_copy_gets_the_first_response(inbox: Inbox, id: str | None) -> None:
    first = inbox.send(say(id=id))
    assert inbox.send(say(id=id)) == type(first)(first.handle, True, None)
    response = inbox.answer(taken(inbox), "hi")
    again = inbox.send(say(id=id))
    assert (again.copy, again.response) == (True, response)
    assert inbox.take("bob", HERE, lease=60) is None, "it was not delivered twice"


def test_the_same_words_of_another_sender_are_another_message(inbox: Inbox) -> None:
    assert not inbox.send(say()).copy
    assert not inbox.send(say(sender="eve")).copy
    assert not inbox.send(say(dedup_key="again")).copy


def test_an_id_for_other_words_is_refused(inbox: Inbox) -> None:
    """None is lost: not even by a sender's mistake."""
    inbox.send(say("one", id="1"))
    with pytest.raises(Refused) as caught:
        inbox.send(say("two", id="1"))
    assert caught.value.code == "id_reused"
    assert taken(inbox).text == "one"


def test_the_same_words_a_day_after_the_answer_are_new(inbox: Inbox, clock: ManualClock) -> None:
    inbox.send(say())
    clock.advance(2 * DAY)
    assert inbox.send(say()).copy, "it still waits"
    first = taken(inbox)
    inbox.answer(first, "hi")
    clock.advance(WINDOW - 60)
    inbox.take("bob", HERE, lease=60)
    assert inbox.send(say()).copy
    clock.advance(61)
    inbox.take("bob", HERE, lease=60)
    assert not inbox.send(say()).copy
    second = taken(inbox)
    assert second.handle == first.handle
    with pytest.raises(ClaimLost):
        inbox.answer(first, "late by a life")
    inbox.answer(second, "hi again")


def test_wall_clocks_decide_nothing(inbox: Inbox, clock: ManualClock) -> None:
    """I5: not the window, not a lease."""
    inbox.send(say())
    message = taken(inbox)
    clock.jump_wall(10 * DAY)
    assert inbox.take("eve", HERE, lease=60) is None
    inbox.answer(message, "hi")
    clock.jump_wall(10 * DAY)
    assert inbox.send(say()).copy
    assert inbox.prune() == 0


def test_a_dead_readers_message_is_delivered_again(inbox: Inbox, clock: ManualClock) -> None:
    """I4: and the one who was only slow cannot answer any more."""
    inbox.send(say())
    dead = taken(inbox, "dead", lease=60)
    clock.advance(59.9)
    assert inbox.take("bob", HERE, lease=60) is None
    clock.advance(0.2)
    message = taken(inbox, "bob")
    assert (message.hold.delivery, message.delivery.count) == (2, 2)
    with pytest.raises(ClaimLost, match="in the hands of bob"):
        inbox.answer(dead, "late")
    with pytest.raises(ClaimLost):
        inbox.renew(dead)
    response = inbox.answer(message, "hi")
    with pytest.raises(Refused) as caught:
        inbox.answer(dead, "later")
    assert caught.value.code == "answered"
    assert inbox.response(message.handle) == response


def test_a_lease_of_another_boot_is_watched(
    store: LossyStore, inbox: Inbox, clock: ManualClock
) -> None:
    """I5: after a reboot the reader counts from its own first sight."""
    inbox.send(say())
    taken(inbox, lease=60)
    after = ManualClock(start=5.0, origin="next boot")
    reader = Inbox(store, after, own=True)
    for _ in range(6):
        assert reader.take("bob", HERE, lease=60) is None
        after.advance(10)
    assert reader.take("bob", HERE, lease=60) is not None


def test_a_renewed_lease_begins_anew(inbox: Inbox, clock: ManualClock) -> None:
    inbox.send(say())
    message = taken(inbox, lease=60)
    for _ in range(5):
        clock.advance(50)
        message = inbox.renew(message)
        assert inbox.take("eve", HERE, lease=60) is None
    inbox.answer(message, "hi")


def test_a_released_message_is_there_at_once(inbox: Inbox) -> None:
    inbox.send(say())
    message = taken(inbox)
    inbox.release(message)
    again = taken(inbox, "eve")
    assert again.hold.delivery == 2
    with pytest.raises(ClaimLost):
        inbox.release(message)


def test_saying_the_same_again_is_no_error(inbox: Inbox) -> None:
    inbox.send(say())
    message = taken(inbox)
    assert inbox.answer(message, "hi") == inbox.answer(message, "hi")
    with pytest.raises(Refused, match="answered by bob"):
        inbox.answer(message, "something else")


def test_a_person_answers_without_taking(inbox: Inbox) -> None:
    handle = inbox.send(say()).handle
    assert inbox.respond(handle, "hi", by="eve").delivery == 0
    assert inbox.take("bob", HERE, lease=60) is None


def test_a_message_for_a_clone_is_not_for_the_others(inbox: Inbox) -> None:
    inbox.send(say(box="~/shop"))
    assert inbox.take("bob", {"", "/home/x/other"}, lease=60) is None
    assert inbox.take("bob", {"", "~/shop"}, lease=60) is not None


def test_a_handle_can_be_shortened(inbox: Inbox) -> None:
    handles = [inbox.send(say(id=str(number))).handle for number in range(40)]
    assert inbox.find(handles[0]) == inbox.find(handles[0][:12]) == handles[0]
    for word in ("", "abc", "0000000", handles[0] + "0", "..%/"):
        with pytest.raises(Refused, match="no message"):
            inbox.find(word)


def test_answered_messages_are_forgotten_in_the_end(inbox: Inbox, clock: ManualClock) -> None:
    for draft in (say("with an id", id="1"), say("without"), say("waits for ever", id="3")):
        inbox.send(draft)
        clock.advance(1)
    for _ in range(2):
        inbox.answer(taken(inbox), "hi")
    assert inbox.prune(keep=7 * DAY) == 0
    clock.advance(1.5 * DAY)
    assert inbox.prune(keep=7 * DAY) == 1
    assert [entry.letter.id for entry in inbox.list().entries] == ["1", "3"]
    clock.advance(6 * DAY)
    assert inbox.prune(keep=7 * DAY) == 1
    (waiting,) = inbox.list().entries
    assert (waiting.letter.id, waiting.state) == ("3", "waiting")


def test_what_became_of_forgotten_messages_is_forgotten_later(
    tmp_path: Path, clock: ManualClock
) -> None:
    """I3: never anything of a message that is there; and the newest changes stay."""
    store = SqliteStore(tmp_path / "inbox", clock=clock)
    inbox = Inbox(store, clock, own=True)
    waiting = inbox.send(say("waits for ever", id="waits")).handle
    for reader in ("bob", "eve"):
        inbox.release(taken(inbox, reader))  # it has a past
    mine = len(store.history(letter_key(waiting))) + len(store.history(delivery_key(waiting)))
    for number in range(3):
        inbox.send(say(id=str(number)))
        message = inbox.take("bob", HERE, lease=60, wanted=lambda d: d.text == "hello")
        assert message is not None
        inbox.answer(message, "hi")
    clock.advance(8 * DAY)
    assert inbox.prune(keep=7 * DAY) == 3
    assert inbox.cut_history(keep=30 * DAY) == 0
    clock.advance(31 * DAY)
    assert store.cut_history(older_than=30 * DAY, spare=10_000) == 0
    before = len(store.history())
    gone = store.cut_history(older_than=30 * DAY, spare=0)
    assert (gone > 0, len(store.history())) == (True, before - gone)
    assert {change.key for change in store.history()} >= set(store.read().records)
    left = len(store.history(letter_key(waiting))) + len(store.history(delivery_key(waiting)))
    assert left == mine
    assert len(store.history()) == sum(len(store.history(key)) for key in store.read().records)
    assert taken(inbox).text == "waits for ever"
    store.close()


@pytest.mark.parametrize("done", [True, False])
def test_lost_answers_are_looked_up(
    store: LossyStore, inbox: Inbox, clock: ManualClock, *, done: bool
) -> None:
    """I4: the truth is told, or that it is not known; and then saying it again is safe."""

    def lossy() -> tuple[bool, bool]:
        return done, False

    inbox._ages.tick()
    store.fate = lossy
    if done:
        receipt = inbox.send(say())
        assert not receipt.copy
    else:
        with pytest.raises(OutcomeUnknown, match="not known"):
            inbox.send(say())
        store.fate = lambda: (True, True)
        receipt = inbox.send(say())
        store.fate = lossy
    message = inbox.take("bob", HERE, lease=60)
    if not done:
        assert message is None
        store.fate = lambda: (True, True)
        message = inbox.take("bob", HERE, lease=60)
        store.fate = lossy
    assert message is not None
    clock.advance(1)
    if done:
        message = inbox.renew(message)
        assert inbox.answer(message, "hi").text == "hi"
    else:
        with pytest.raises(OutcomeUnknown):
            inbox.renew(message)
        with pytest.raises(OutcomeUnknown):
            inbox.answer(message, "hi")
        store.fate = lambda: (True, True)
        inbox.answer(inbox.renew(message), "hi")
    response = inbox.response(receipt.handle)
    assert response is not None
    assert response.text == "hi"


def test_a_renewal_that_comes_true_late_is_still_ours(
    store: LossyStore, inbox: Inbox, clock: ManualClock
) -> None:
    inbox.send(say())
    message = taken(inbox)
    clock.advance(1)
    late = inbox.renew(message)  # its answer never reached the reader, who has the old version
    clock.advance(1)
    assert inbox.renew(message).hold.since > late.hold.since


def test_what_cannot_be_read_stops_nothing(store: LossyStore, inbox: Inbox) -> None:
    inbox.send(say())
    for name in ("messages", "deliveries"):
        key = make_key(name, "f" * 32)
        store.commit(
            [
                Transaction(
                    expect={key: ABSENT},
                    write={key: {"format": 99}},
                    subject="x",
                    actor=Actor("newer"),
                )
            ]
        )
    assert taken(inbox).text == "hello"
    assert len(inbox.list().damaged) == 2
