"""Settles transactions whose push was not answered, or answered by a server that died half way.

Whatever a server did with a push, alone or shared with others, is told of each transaction by
its own nonce in the history of its own records, and made whole: rolled forward, or taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.ids import Oid
from gitbaton.git.remote import PushState, RefUpdate, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.envelope import build_version
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.planner import find_conflicts
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.state import Held, Place, State
from gitbaton.store.model import (
    ABSENT,
    Committed,
    Conflict,
    Key,
    Move,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Version,
)


class Settler:
    """Recognises what is ours on the remote, and completes it or takes it back."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        reader: Reader,
        layout: Layout,
        *,
        look: Callable[[Sequence[str]], State],
        commit: Callable[[Transaction], Outcome],
    ) -> None:
        """``look(refs)`` asks the remote; ``commit`` carries out one transaction."""
        self._repository = repository
        self._remote = remote
        self._reader = reader
        self._layout = layout
        self._look = look
        self._commit = commit

    def is_ours(self, state: State, attempts: Attempts) -> bool:
        """Tell whether one of our attempts was applied after all.

        A transaction is applied whole: one member that has our nonce in its history is proof for
        all. Where it was sent in steps, every member must have it.
        """
        nonce = attempts.stamp.transaction

        def applied(key: Key) -> bool:
            held = state.held.get(key)
            numbers = {p.envelopes[key].seq for p in attempts.plans if key in p.envelopes}
            return held is not None and any(
                self._reader.includes(held, number, nonce) for number in numbers
            )

        written = attempts.written
        if written:
            return (all if attempts.stepwise else any)(applied(key) for key in written)
        commits = [plan.board_commit for plan in attempts.plans]
        return any(c is not None and self._reader.board_includes(state, c) for c in commits)

    def settle(self, state: State, attempts: Attempts) -> Outcome:
        """Finish a transaction of which a part is written: all of it, or nothing.

        A server that was killed half way, or that hides one of the refs, may have applied only
        some updates. The others are rolled forward, each by CAS on what it was planned upon. If
        one cannot be (somebody else has moved it, the host refuses it), what is written is taken
        back: no record may claim what is not there.
        """
        nonce = attempts.stamp.transaction
        versions: dict[Key, Version] = {}
        for key, envelope in attempts.plans[-1].envelopes.items():
            held = state.held.get(key)
            version: Oid | None = None
            if held is not None and held.completed and held.envelope.transaction == nonce:
                version = self._complete(key, held)
            elif held is not None:
                # Ours, not the newest: others may have replaced it, and we have not seen theirs.
                version = self._reader.written(held, envelope.seq, nonce)
            if version is None:
                return self._take_back(attempts, Conflict({}))
            versions[key] = Version(version)
        for move in attempts.tx.moves:
            failed = self._roll_forward(state, move)
            if failed is not None:
                return self._take_back(attempts, failed)
        return Committed(versions)

    def _complete(self, key: Key, held: Held) -> Oid | None:
        """Write the half of ``key`` that the server lost; None if somebody else has moved it."""
        built = build_version(held.envelope, self._repository.objects.format)
        self._repository.objects.write(built.objects)
        standing = held.version if held.place is Place.LIVE else None
        update = RefUpdate(self._layout.ref(key), standing, built.commit)
        result = self._remote.push([update], atomic=False)[update.ref]
        return built.commit if result.state is PushState.DONE else None

    def _roll_forward(self, state: State, move: Move) -> Outcome | None:
        """Move a branch that was left behind its record; return why not, None if it is there."""
        ref = self._layout.target(move.target)
        current = state.refs.get(ref)
        if current == move.new:
            return None
        if current != move.old:
            if self._reader.branch_includes(state, ref, move.new):
                return None  # it was moved, and moved on since
            return Conflict({}, {move.target: current})
        result = self._remote.push([RefUpdate(ref, move.old, move.new)], atomic=False)[ref]
        if result.state is PushState.DONE:
            return None
        if result.state is PushState.REFUSED:
            return Rejected(result.reason, ref)
        return Unknown(f"{ref}: {result.reason}")

    def _take_back(self, attempts: Attempts, why: Outcome) -> Outcome:
        """Undo what is written, and return ``why`` it was; Unknown if that cannot be done."""
        if isinstance(why, Unknown):
            return why  # the branch may be there: nothing is known well enough to be undone
        if not self._undo(attempts):
            return Unknown("a transaction was half applied and could not be taken back yet")
        if isinstance(why, Conflict) and not why.moved:
            return Conflict(find_conflicts(self._look(()), attempts.tx, self._layout))
        return why

    def _undo(self, attempts: Attempts) -> bool:
        """Write the records of a half-applied transaction back to what they were.

        Only where ours is still the newest version: what others have made of it since stays.
        Returns whether nothing of ours stands any more as the newest version.
        """
        tx = attempts.tx
        state = self._look(())
        ours = {oid for plan in attempts.plans for oid in plan.versions.values()}
        restore: dict[Key, Mapping[str, object]] = {}
        expect: dict[Key, Version] = {}
        for key, version in tx.expect.items():
            held = state.held.get(key)
            old = self._reader.envelope(Oid(version)) if version is not ABSENT else None
            if held is not None and held.version in ours:
                if old is None:
                    return False  # it was created: a deletion is not for us to decide
                restore[key], expect[key] = old.value, Version(held.version)
        if not restore:
            return True
        undo = Transaction(
            expect=expect, write=restore, subject=f"undo: {tx.subject}", actor=tx.actor
        )
        return isinstance(self._commit(undo), Committed)
