"""The server's side: answers one client on two streams, until the client hangs up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.core.ids import Nonce
from gitbaton.store.model import Choice, Key, Outcome, Transaction
from gitbaton.store.protocol import Store
from gitbaton.store.ssh import packing, wire


class NamedStore(Store, Protocol):
    """A store that recognises what it has committed before, by a name that the client gives."""

    def commit_as(
        self, names: Sequence[Nonce | None], transactions: Sequence[Transaction]
    ) -> list[Outcome]:
        """Commit each transaction under its name, once, however often it is asked to."""
        ...

    def commit_first_as(
        self, names: Sequence[Nonce | None], alternatives: Sequence[Transaction], count: int
    ) -> list[Choice]:
        """Commit ``count`` of the named ``alternatives``, once, however often it is asked to."""
        ...


def serve(store: NamedStore, source: BinaryIO, sink: BinaryIO, *, version: str) -> None:
    """Answer the requests in ``source`` on ``sink`` until ``source`` ends.

    ``version``: this gitbaton's, for the greeting. Nothing that a request says reaches a path or
    a command (I8). A request that did not arrive whole is dropped. Raises ``wire.Garbled`` for
    what is no request, OSError when the client does not listen any more.
    """
    _send(sink, wire.encode_greeting(wire.Greeting(wire.PROTOCOL, version)))
    while (body := _receive(source)) is not None:
        _send(sink, wire.encode_frame(_answer(store, wire.decode_request(body))))


def _answer(store: NamedStore, request: wire.Request) -> wire.Reply:
    try:
        return _perform(store, request)
    except BatonError as error:
        return packing.pack_error(error)


def _perform(store: NamedStore, request: wire.Request) -> wire.Reply:
    if isinstance(request, wire.Read):
        return packing.pack_snapshot(store.read(request.prefix))
    if isinstance(request, wire.History):
        key = None if request.key is None else Key(request.key)
        return packing.pack_history(store.history(key, limit=request.limit))
    if isinstance(request, wire.Tidy):
        done = store.tidy(force=request.force)
        return wire.Tidied(done.folded, done.staged, done.repaired, done.refreshed, done.notes)
    names = [Nonce(change.name) for change in request.changes]
    wishes = _wishes(request.changes)
    if isinstance(request, wire.CommitFirst):
        choices: Sequence[Choice] = store.commit_first_as(names, wishes, request.count)
    else:
        choices = store.commit_as(names, wishes)
    return wire.Fates(tuple(packing.pack_choice(choice) for choice in choices))


def _wishes(changes: Sequence[wire.Change]) -> list[Transaction]:
    try:
        return [packing.unpack_transaction(change) for change in changes]
    except ValueError as error:
        raise InvalidInput("transaction", str(error)) from error


def _receive(source: BinaryIO) -> bytes | None:
    header = source.read(wire.HEADER)
    if len(header) < wire.HEADER:
        return None
    length = wire.body_length(header)
    body = source.read(length)
    return body if len(body) == length else None


def _send(sink: BinaryIO, data: bytes) -> None:
    sink.write(data)
    sink.flush()
