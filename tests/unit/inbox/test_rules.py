"""Who may take what, in which order, and what may be forgotten."""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Nonce
from gitbaton.plans.inbox.model import Delivery, Handle, Hold, Letter, Response
from gitbaton.plans.inbox.rules import (
    WINDOW,
    Age,
    Reading,
    advance,
    boxes,
    in_turn,
    is_free,
    is_new_again,
    may_forget,
)

ORIGINS = st.sampled_from(["this boot", "another boot", "another machine"])
SECONDS = st.floats(0, 1e6)


def delivery(sender: str = "ada", sent_at: str = "1", hold: Hold | None = None) -> Delivery:
    return Delivery(
        sender=sender,
        id=None,
        box="",
        text="x",
        task=None,
        task_epoch=None,
        sent_at=sent_at,
        hold=hold,
    )


def hold(origin: str, since: float, lease: float) -> Hold:
    return Hold(delivery=1, nonce=Nonce("n"), reader="bob", lease=lease, origin=origin, since=since)


def letter(id: str | None, age: float | None) -> Letter:
    response = None
    if age is not None:
        response = Response(text="", by="bob", at="", delivery=1, nonce=Nonce("n"), age=age)
    return Letter(
        sender="ada",
        id=id,
        box="",
        task=None,
        task_epoch=None,
        digest="",
        nonce=Nonce("n"),
        sent_at="",
        response=response,
    )


@given(origin=ORIGINS, since=SECONDS, lease=SECONDS, here=ORIGINS, now=SECONDS, watched=SECONDS)
def test_a_lease_is_measured_on_one_clock(
    origin: str, since: float, lease: float, here: str, now: float, watched: float
) -> None:
    """I5: a reading of another clock has no say; what counts then is what was watched."""
    taken = delivery(hold=hold(origin, since, lease))
    free = is_free(taken, Reading(here, now), watched=watched)
    if origin == here and since <= now:
        assert free == (now - since >= lease)
    else:
        assert free == (watched >= lease)
        shifted = delivery(hold=hold(origin, since + 1000, lease))
        if origin != here:
            assert is_free(shifted, Reading(here, now), watched=watched) == free


def test_what_nobody_has_is_free() -> None:
    assert is_free(delivery(), Reading("here", 0.0))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), unique=True))
def test_senders_take_turns(sent: list[tuple[str, int]]) -> None:
    """Each sender's messages keep their order, and none waits for two of another sender."""
    mail = {
        Handle(f"{sender}{number}"): delivery(sender, f"{number:03}") for sender, number in sent
    }
    order = in_turn(mail)
    assert sorted(order) == sorted(mail)
    for sender in "abc":
        own = [mail[handle].sent_at for handle in order if mail[handle].sender == sender]
        assert own == sorted(own)
    turns = [
        sum(mail[earlier].sender == mail[handle].sender for earlier in order[:place])
        for place, handle in enumerate(order)
    ]
    assert turns == sorted(turns)


@given(
    start=SECONDS,
    readings=st.lists(st.tuples(ORIGINS, SECONDS), min_size=1, max_size=20),
)
def test_an_inbox_never_grows_younger(start: float, readings: list[tuple[str, float]]) -> None:
    """I5: and it ages by no more than one clock has shown."""
    age = Age(counted=start, origin="this boot", at=0.0)
    ages = [age]
    for origin, elapsed in readings:
        age = advance(age, Reading(origin, elapsed))
        ages.append(age)
    for before, after in pairwise(ages):
        assert after.counted >= before.counted
        if after.origin != before.origin:
            assert after.counted == before.counted
        else:
            assert after.counted <= before.counted + max(after.at - before.at, 0) + 1e-6


@given(age=SECONDS, now=SECONDS, keep=SECONDS, id=st.none() | st.just("id"))
def test_a_copy_is_recognised_for_a_day(
    age: float, now: float, keep: float, id: str | None
) -> None:
    answered = letter(id, age)
    if now - age < WINDOW:
        assert not may_forget(answered, now, keep=keep)
        assert not is_new_again(answered, now)
    assert not may_forget(letter(id, None), now, keep=keep), "what waits is never forgotten"
    if id is not None:
        assert not is_new_again(answered, now), "an id is a name for good"


def test_a_clone_answers_to_every_word_for_its_place() -> None:
    home = PurePosixPath("/home/ada")
    names = boxes(home / "work/shop", home)
    for word in ("", "/home/ada/work/shop", "work/shop", "~/work/shop", "work/shop/"):
        assert word in names
    for word in ("/", "work", "shop", "/home/ada", "../shop", "~", "~/"):
        assert word not in names
    assert boxes(None, home) == {""}
    assert boxes(PurePosixPath("/srv/shop"), home) == {"", "/srv/shop", "/srv/shop/"}
