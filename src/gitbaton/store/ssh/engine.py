"""The store on another host, as seen from here."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final, TypeVar

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import new_nonce
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import Lost, Unfit
from gitbaton.store.model import (
    ABSENT,
    Change,
    Choice,
    Committed,
    Conflict,
    Key,
    Outcome,
    Rejected,
    Snapshot,
    Spared,
    Transaction,
    Unknown,
)
from gitbaton.store.protocol import TidyReport
from gitbaton.store.ssh import packing, wire
from gitbaton.store.ssh.conversation import Conversation
from gitbaton.store.ssh.recollection import Recollection
from gitbaton.store.ssh.ways import Way

PATIENCE: Final = 90.0
"""Seconds for one request: longer than the server waits for a database that others lock."""

_KEPT: Final = 4
_ReplyT = TypeVar("_ReplyT", bound=wire.Reply)


class SshStore:
    """A store behind a way to ``baton store-serve``. Thread-safe; each thread asks on its own.

    A lost reply to a look is asked for again on a new connection. A change is sent under a name,
    so it too can be sent again: the server recognises what it has done. It moves no branches
    (ValueError). Raises RemoteUnreachable, and Refused when there is nobody able to answer.
    """

    def __init__(self, way: Way, *, clock: Clock, patience: float = PATIENCE) -> None:
        self._way = way
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self._idle: list[Conversation] = []
        self._closed = False
        self._memory = Recollection()

    def read(self, prefix: str = "") -> Snapshot:
        asked = self._clock.elapsed()
        rows = self._look(wire.Read(prefix), wire.Rows)
        snapshot = packing.unpack_snapshot(rows, asked=asked, answered=self._clock.elapsed())
        self._memory.see(prefix, snapshot)
        return snapshot

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self._memory.recall(prefix)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        if not transactions:
            return []
        request = wire.Commit(_named(transactions))
        choices = self._change(request, transactions)
        return [_outcome(choice) for choice in choices]

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        if not alternatives:
            return []
        return self._change(wire.CommitFirst(_named(alternatives), count), alternatives)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return packing.unpack_history(self._look(wire.History(key, limit), wire.Events))

    def tidy(self, *, force: bool = False) -> TidyReport:
        done = self._look(wire.Tidy(force), wire.Tidied)
        return TidyReport(done.folded, done.staged, done.repaired, done.refreshed, done.notes)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for conversation in idle:
            conversation.close()
        self._way.close()

    def _look(self, request: wire.Request, expected: type[_ReplyT]) -> _ReplyT:
        """Return the reply to a request that may be repeated."""
        frame = wire.encode_frame(request)
        try:
            reply = self._ask(frame, fresh=False)
        except (Unfit, Lost):
            try:
                reply = self._ask(frame, fresh=True)
            except (Unfit, Lost) as trouble:
                raise RemoteUnreachable(trouble.reason) from trouble
        return _checked(reply, expected, self._way)

    def _change(
        self, request: wire.Commit | wire.CommitFirst, transactions: Sequence[Transaction]
    ) -> list[Choice]:
        frame = wire.encode_frame(request)
        again = False
        try:
            try:
                reply = self._ask(frame, fresh=False)
            except Unfit:
                reply = self._ask(frame, fresh=True)
        except Unfit as trouble:
            raise RemoteUnreachable(trouble.reason) from trouble
        except Lost:
            again = True
            try:
                reply = self._ask(frame, fresh=True)
            except (Unfit, Lost) as trouble:
                return [Unknown(trouble.reason)] * len(transactions)
            except BatonError as error:
                return [Unknown(error.message)] * len(transactions)
            if isinstance(reply, wire.Failed):
                return [Unknown(reply.message)] * len(transactions)
        fates = _checked(reply, wire.Fates, self._way).fates
        choices = [packing.unpack_choice(fate) for fate in fates]
        if again:
            pairs = zip(transactions, choices, strict=True)
            choices = [_sobered(transaction, choice) for transaction, choice in pairs]
        for transaction, choice in zip(transactions, choices, strict=True):
            if isinstance(choice, Committed):
                self._memory.write(transaction, choice.versions)
        return choices

    def _ask(self, frame: bytes, *, fresh: bool) -> wire.Reply:
        """Ask on an idle conversation, or (always if ``fresh``) on a new one.

        Raises Unfit, Lost; RemoteUnreachable and Refused when none could be begun.
        """
        deadline = Deadline(self._patience)
        conversation = self._take(deadline, fresh=fresh)
        try:
            reply = conversation.ask(frame, deadline)
        except BaseException:
            conversation.close()
            raise
        self._give_back(conversation)
        return reply

    def _take(self, deadline: Deadline, *, fresh: bool) -> Conversation:
        with self._lock:
            if self._closed:
                raise ValueError(f"the store on {self._way.place} is closed")
            # After a fork they are the parent's; when one is lost, the others are likely lost too.
            useless = [c for c in self._idle if fresh or c.owner != os.getpid()]
            self._idle = [c for c in self._idle if c not in useless]
            found = self._idle.pop() if self._idle else None
        for conversation in useless:
            conversation.close()
        return found or Conversation(self._way, deadline)

    def _give_back(self, conversation: Conversation) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(conversation)
                return
        conversation.close()


def _named(transactions: Sequence[Transaction]) -> tuple[wire.Change, ...]:
    return tuple(packing.pack_transaction(new_nonce(), each) for each in transactions)


def _checked(reply: wire.Reply, expected: type[_ReplyT], way: Way) -> _ReplyT:
    if isinstance(reply, wire.Failed):
        raise packing.unpack_error(reply)
    if not isinstance(reply, expected):
        raise RemoteUnreachable(f"{way.place} answered something else")
    return reply


def _sobered(transaction: Transaction, choice: Choice) -> Choice:
    """Return what is known after a repeat that found something in the way.

    The first copy may have done it, and a later heartbeat hidden that; or it is stuck, and goes
    through when what is there now is deleted. Any other version that was replaced never returns.
    """
    if isinstance(choice, Conflict):
        returns = any(transaction.expect[key] is ABSENT for key in choice.found)
        if transaction.heartbeat or returns:
            return Unknown("the answer was lost, and the state now does not tell")
    if isinstance(choice, Rejected):
        return Unknown(choice.reason)
    return choice


def _outcome(choice: Choice) -> Outcome:
    assert not isinstance(choice, Spared), "only alternatives are spared"
    return choice
