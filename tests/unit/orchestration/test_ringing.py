"""Bells at real inboxes: answered once, rung again by a copy, one out of reach in nobody's way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import TaskId
from gitbaton.orchestration.ringing import InboxRinger
from gitbaton.plans.doorbell import Answer, Bell, Reply
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.registry.record import Address
from gitbaton.store.sqlite import SqliteStore
from tests.functional.working import wait_until

HERE = Address(host="here", path="/shop")
AWAY = Address(host="away", path="/shop")
BELL = Bell("p", TaskId("p.a"), 0, "w1")


@dataclass
class Opened:
    """An inbox in a file, and whether it was closed."""

    inbox: Inbox
    closed: bool = False

    def close(self) -> None:
        self.inbox.store.close()
        self.closed = True


class Post:
    """Opens inboxes: one file for all places, and one place that cannot be reached."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "inbox.sqlite"
        self.opened: list[Opened] = []

    def open(self, address: Address) -> Opened:
        if address == AWAY:
            raise RemoteUnreachable("no route to away")
        clock = SystemClock()
        opened = Opened(Inbox(SqliteStore(self.path, clock=clock), clock, own=True))
        self.opened.append(opened)
        return opened


def answer_one(post: Post, answer: Answer) -> str:
    """Answer the next message as a worker would; return its id."""
    reader = post.open(HERE)
    found: list[str] = []

    def is_there() -> bool:
        message = reader.inbox.take("w1", {"/shop"}, lease=60.0)
        if message is None:
            return False
        reader.inbox.answer(message, answer.text)
        found.append(message.delivery.id or "")
        return True

    wait_until(is_there, "the bell")
    reader.close()
    return found[0]


def test_a_bell_is_rung_and_its_answer_heard(tmp_path: Path) -> None:
    post, woken = Post(tmp_path), threading.Event()
    with InboxRinger(post.open, woken.set) as ringer:
        ringer.ring(BELL, HERE)
        assert answer_one(post, Answer(Reply.REFUSED, "no disk")) == BELL.id
        assert woken.wait(60)
        assert ringer.answers() == [(BELL, Answer(Reply.REFUSED, "no disk"))]
        assert ringer.answers() == []
    assert all(opened.closed for opened in post.opened)

    # Another orchestrator, or this one started again: a copy, answered with the first answer.
    woken.clear()
    with InboxRinger(post.open, woken.set) as ringer:
        ringer.ring(BELL, HERE)
        assert woken.wait(60)
        assert ringer.answers() == [(BELL, Answer(Reply.REFUSED, "no disk"))]
    reader = post.open(HERE)
    assert reader.inbox.take("w1", {"/shop"}, lease=60.0) is None
    reader.close()


def test_an_inbox_out_of_reach_keeps_no_other_waiting_and_is_told_once(tmp_path: Path) -> None:
    post, woken = Post(tmp_path), threading.Event()
    other = Bell("p", TaskId("p.b"), 0, "w2")
    with InboxRinger(post.open, woken.set) as ringer:
        ringer.ring(other, AWAY)
        ringer.ring(BELL, HERE)
        answer_one(post, Answer(Reply.CLAIMED))
        assert woken.wait(60)
        assert ringer.answers() == [(BELL, Answer(Reply.CLAIMED))]
        told: list[str] = []

        def is_told() -> bool:
            told.extend(ringer.troubles())
            return bool(told)

        wait_until(is_told, "the trouble")
        assert told == ["the inbox at away: no route to away"]


def test_a_bell_that_was_taken_back_is_not_asked_for(tmp_path: Path) -> None:
    post, woken = Post(tmp_path), threading.Event()
    with InboxRinger(post.open, woken.set) as ringer:
        ringer.ring(BELL, HERE)
        ringer.keep(frozenset())
        second = Bell("p", TaskId("p.b"), 0, "w1")
        ringer.ring(second, HERE)
        while answer_one(post, Answer(Reply.HELD)) != second.id:
            pass
        assert woken.wait(60)
        assert (second, Answer(Reply.HELD)) in ringer.answers()
