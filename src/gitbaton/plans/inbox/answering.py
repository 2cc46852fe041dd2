"""Writes the one response to a message."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from gitbaton.core.clock import rfc3339
from gitbaton.core.errors import DamagedRecord, InvalidInput, OutcomeUnknown, Refused
from gitbaton.core.ids import agent_name, new_nonce
from gitbaton.plans.inbox.aging import AgeKeeper
from gitbaton.plans.inbox.drafts import check_text
from gitbaton.plans.inbox.model import Delivery, Handle, Letter, Response, to_value
from gitbaton.plans.inbox.records import Found, delivery_key, letter_key, read_one
from gitbaton.plans.inbox.taking import lost
from gitbaton.store.model import DELETE, Actor, Committed, Rejected, Transaction, Unknown
from gitbaton.store.protocol import Store

_ROUNDS: Final = 100  # each is lost to somebody else's step: far fewer are ever needed


def respond(
    store: Store,
    ages: AgeKeeper,
    handle: Handle,
    text: str,
    *,
    by: str,
    token: str | None,
    now: datetime,
) -> Response:
    """Answer a message and return the response that stands.

    ``token`` proves the delivery that is answered; None: none in particular, which is for people.
    Saying the same once more for the same delivery is no error. Raises ClaimLost when that
    delivery is over, Refused (``answered``, ``unknown_message``), InvalidInput, OutcomeUnknown
    (say it again).
    """
    response = Response(
        text=check_text(text),
        by=agent_name(by, field="by"),
        at=rfc3339(now),
        delivery=_number(token),
        nonce=new_nonce(),
        age=ages.read(),
    )
    for _ in range(_ROUNDS):
        letter = read_one(store, letter_key(handle), Letter)
        if letter is None:
            raise Refused(
                f"there is no message {handle}", code="unknown_message", next="baton inbox list"
            )
        if letter.value.response is not None:
            return _standing(handle, letter.value.response, response)
        open_ = read_one(store, delivery_key(handle), Delivery)
        if open_ is None:
            continue  # answered between the two looks
        hold = open_.value.hold
        if token is not None and (hold is None or hold.token != token):
            raise lost(handle, hold)
        (outcome,) = store.commit([_change(handle, letter, open_, response)])
        if isinstance(outcome, Committed):
            return response
        if isinstance(outcome, Rejected):
            raise Refused(outcome.reason, code=outcome.code, next="baton inbox list")
        if isinstance(outcome, Unknown):
            after = read_one(store, letter_key(handle), Letter)
            if after is None or after.value.response is None:
                raise OutcomeUnknown(
                    f"whether message {handle[:12]} was answered is not known", next="say it again"
                )
    raise DamagedRecord(f"message {handle} is neither answered nor waiting for an answer")


def _number(token: str | None) -> int:
    if token is None:
        return 0
    number = token.partition(".")[0]
    if not (number.isascii() and number.isdigit()):
        raise InvalidInput("token", f"{token!r} is no token of a delivery")
    return int(number)


def _standing(handle: Handle, there: Response, ours: Response) -> Response:
    """Return the response that is there if it is as good as ours."""
    same = (there.text, there.by, there.delivery) == (ours.text, ours.by, ours.delivery)
    if there.nonce == ours.nonce or same:
        return there
    raise Refused(
        f"message {handle[:12]} was answered by {there.by}",
        code="answered",
        next=f"baton inbox wait --for {handle[:12]}",
    )


def _change(
    handle: Handle, letter: Found[Letter], open_: Found[Delivery], response: Response
) -> Transaction:
    return Transaction(
        expect={letter_key(handle): letter.version, delivery_key(handle): open_.version},
        write={
            letter_key(handle): to_value(replace(letter.value, response=response)),
            delivery_key(handle): DELETE,
        },
        subject=f"respond: {handle[:12]} delivery {response.delivery}",
        actor=Actor(response.by),
    )
