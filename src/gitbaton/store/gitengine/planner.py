"""From a state and a transaction to ref updates, or to the conflict between them.

Reads objects (to edit the board's trees) and decides; sends nothing. Every rule of the protocol
about what moves together is here (docs/design/protocol.md, "Every transaction").
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.git.objects import Commit, Person, encode_commit, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import RefUpdate
from gitbaton.git.trees import edit_tree
from gitbaton.store.gitengine.cards import card_object
from gitbaton.store.gitengine.envelope import (
    FORMAT,
    Companion,
    Envelope,
    MovedRef,
    VersionObjects,
    build_version,
    encode_envelope,
)
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.parking import parked_at_birth
from gitbaton.store.gitengine.plan import BoardEdit, Plan, Stamp
from gitbaton.store.gitengine.records import to_record
from gitbaton.store.gitengine.state import Held, Place, State
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Conflict,
    Delete,
    Key,
    Record,
    Target,
    Transaction,
    Value,
)
from gitbaton.store.protocol import BoardPolicy

_COMPANIONS = 8  # members of a transaction that keep each other's half
DELETED = "Baton-Deleted"  # trailer of a board commit: the tombstones it keeps
_SHOWN = 500  # with more parked records, the board's pages show the live ones only


class Planner:
    """Plans transactions for one layout and one board policy."""

    def __init__(self, objects: ObjectStore, layout: Layout, policy: BoardPolicy) -> None:
        self._objects = objects
        self.layout = layout
        self._policy = policy
        self._prefix = f"{policy.collection}/"

    def successor(
        self,
        tx: Transaction,
        key: Key,
        held: Held | None,
        stamp: Stamp,
        *,
        linear: bool,
    ) -> Envelope:
        """Return the envelope that ``tx`` writes under ``key`` on top of ``held``.

        A heartbeat stands beside the heartbeat before it, not upon it, so that the chain does
        not grow with time; where the host refuses that (``linear``), it stands upon it.
        """
        value = tx.write[key]
        assert not isinstance(value, Delete)
        after: str | None = None
        if held is not None and held.place is not Place.UNBORN:
            beside = tx.heartbeat and held.envelope.heartbeat and not linear
            after = held.envelope.after if beside else held.version
        return self._envelope(tx, key, held, stamp, value=value, after=after)

    def hot(
        self, tx: Transaction, held: Held, stamp: Stamp, *, linear: bool
    ) -> tuple[RefUpdate, VersionObjects, Envelope]:
        """Plan a transaction that moves one live record and nothing else: one ref, no look."""
        (key,) = tx.write
        envelope = self.successor(tx, key, held, stamp, linear=linear)
        built = build_version(envelope, self._objects.format)
        return (
            RefUpdate(self.layout.ref(key), held.version, built.commit),
            built,
            envelope,
        )

    def plan(
        self, state: State, tx: Transaction, stamp: Stamp, *, linear: bool, atomic: bool
    ) -> Plan | Conflict:
        """Plan ``tx`` on ``state``, or return the Conflict between them.

        ``atomic`` False (a host without atomic push): nothing is parked, and halves do not name
        each other, since the updates will be sent one by one. Raises DamagedRecord.
        """
        self._prefetch(state, tx)
        for key in tx.write:
            if key in state.damaged:
                raise DamagedRecord(f"{key} is damaged: {state.damaged[key]}", next="baton doctor")
        moves, moved = self._moves(state, tx)
        found = find_conflicts(state, tx, self.layout)
        if found or moved:
            return Conflict(found, moved)

        plan = Plan()
        for key, value in tx.write.items():
            if not isinstance(value, Delete):
                plan.envelopes[key] = self.successor(
                    tx, key, state.held.get(key), stamp, linear=linear
                )
        park = parked_at_birth(self._policy, state, tx) if atomic else frozenset[Key]()
        # Sent one by one, or with some on the board, there are no halves.
        built = self._build(plan, state, linked=atomic and not park)
        edit = BoardEdit()
        for key, value in tx.write.items():
            held = state.held.get(key)
            if isinstance(value, Delete):
                assert held is not None
                self._delete(plan, edit, tx, key, held, stamp)
            else:
                standing = state.refs.get(self.layout.ref(key))
                self._write(plan, edit, key, held, built[key], standing=standing, park=key in park)
        if edit.files:
            self.move_board(plan, state, edit, tx.actor.name, tx.actor.email, tx.subject, stamp)
        plan.updates += moves
        return plan

    def move_board(
        self,
        plan: Plan,
        state: State,
        edit: BoardEdit,
        actor: str,
        email: str,
        subject: str,
        stamp: Stamp,
        *,
        render: bool = False,
    ) -> None:
        """Add to ``plan`` the board commit that makes ``edit``, first among the updates."""
        if render or state.board.parked.is_short:
            for path, content in self._rendered(state, plan).items():
                blob = make_object("blob", content, self._objects.format)
                plan.objects.append(blob)
                edit.files[path] = blob.oid
        tree, made = edit_tree(self._objects, state.board.tree, edit.files)
        parents = [state.board.tip or self._first_board(plan, actor, email, stamp)]
        parents += [oid for oid in dict.fromkeys(edit.keep) if oid not in parents]
        message = "\n".join(
            [subject, "", f"Baton-Transaction: {stamp.transaction}", *edit.trailers]
        )
        body = encode_commit(
            Commit(tree, tuple(parents), Person(actor, email, stamp.seconds), message)
        )
        commit = make_object("commit", body, self._objects.format)
        plan.objects += [*made, commit]
        plan.board_commit = commit.oid
        plan.updates.insert(0, RefUpdate(self.layout.board, state.board.tip, commit.oid))

    def _first_board(self, plan: Plan, actor: str, email: str, stamp: Stamp) -> Oid:
        """Add the root of the board, so that a first parent is always the board before."""
        tree = make_object("tree", b"", self._objects.format)
        author = Person(actor, email, stamp.seconds)
        body = encode_commit(Commit(tree.oid, (), author, "board: begin"))
        root = make_object("commit", body, self._objects.format)
        plan.objects += [tree, root]
        return root.oid

    def materialise(self, plan: Plan, held: Held) -> None:
        """Make sure the commit of ``held`` can be pushed: a record parked since birth has none.

        Raises DamagedRecord when its bytes do not give the version that the board claims.
        """
        if self._objects.find_many([held.version])[0] is not None:
            return
        built = build_version(held.envelope, self._objects.format)
        if built.commit != held.version:
            raise DamagedRecord(
                f"{held.envelope.key}: version {held.version} is not what its content gives",
                next="baton doctor",
            )
        plan.objects += built.objects

    def card(self, plan: Plan, version: Oid, envelope: Envelope) -> Oid:
        """Add the board file of a version to ``plan`` and return its blob."""
        blob = card_object(self._objects, version, encode_envelope(envelope))
        plan.objects.append(blob)
        return blob.oid

    def _envelope(
        self,
        tx: Transaction,
        key: Key,
        held: Held | None,
        stamp: Stamp,
        *,
        value: Value,
        after: str | None,
    ) -> Envelope:
        return Envelope(
            format=FORMAT,
            key=key,
            seq=held.envelope.seq + 1 if held else 1,
            transaction=stamp.transaction,
            heartbeat=tx.heartbeat,
            after=after,
            at=stamp.at,
            actor=tx.actor.name,
            email=tx.actor.email,
            subject=tx.subject,
            moves=[MovedRef(self.layout.target(m.target), m.old, m.new) for m in tx.moves],
            value=dict(value),
        )

    def _moves(
        self, state: State, tx: Transaction
    ) -> tuple[list[RefUpdate], dict[Target, Oid | None]]:
        updates: list[RefUpdate] = []
        moved: dict[Target, Oid | None] = {}
        for move in tx.moves:
            ref = self.layout.target(move.target)
            current = state.refs.get(ref)
            if current == move.new:
                continue  # a push of ours got that far before the server died
            if current != move.old:
                moved[move.target] = current
            else:
                updates.append(RefUpdate(ref, move.old, move.new))
        return updates, moved

    def _build(self, plan: Plan, state: State, *, linked: bool) -> dict[Key, VersionObjects]:
        members = plan.envelopes
        halves: Mapping[Key, bytes] = {}
        if linked and 2 <= len(members) <= _COMPANIONS:
            companions = {
                key: Companion(held.version if (held := state.held.get(key)) else None, e.seq)
                for key, e in members.items()
            }
            halves = {key: encode_envelope(e) for key, e in members.items()}
            for key, envelope in list(members.items()):
                others = {k: c for k, c in companions.items() if k != key}
                members[key] = msgspec.structs.replace(envelope, companions=others)
        return {
            key: build_version(
                envelope,
                self._objects.format,
                companions={k: body for k, body in halves.items() if k != key},
            )
            for key, envelope in members.items()
        }

    def _prefetch(self, state: State, tx: Transaction) -> None:
        """Look up all that ``tx`` writes in one conversation."""
        names = [k.removeprefix(self._prefix) for k in tx.write if k.startswith(self._prefix)]
        state.board.parked.find(names)

    def _write(
        self,
        plan: Plan,
        edit: BoardEdit,
        key: Key,
        held: Held | None,
        built: VersionObjects,
        *,
        standing: Oid | None,
        park: bool,
    ) -> None:
        plan.versions[key] = built.commit
        on_board = key.startswith(self._prefix)
        name = key.removeprefix(self._prefix)
        if held is None and on_board and park:
            edit.park(name, self.card(plan, built.commit, plan.envelopes[key]))
            return
        plan.objects += built.objects
        # What stands there: the version, nothing (parked), or a ref that came late and is void.
        plan.updates.append(RefUpdate(self.layout.ref(key), standing, built.commit))
        if held is not None and held.place is Place.LIVE:
            return
        if held is not None and held.place is not Place.UNBORN:
            self.materialise(plan, held)
        if on_board:
            edit.mark(name, self.card(plan, built.commit, plan.envelopes[key]))
            # Were the board moved and the ref lost, the ref could be made again only from a
            # commit that is reachable: with its companions it cannot be rebuilt from the card.
            edit.keep.append(built.commit)

    def _delete(
        self, plan: Plan, edit: BoardEdit, tx: Transaction, key: Key, held: Held, stamp: Stamp
    ) -> None:
        if not key.startswith(self._prefix):
            raise ValueError(f"{key}: only records in {self._prefix} can be deleted on git")
        edit.drop(key.removeprefix(self._prefix))
        plan.deleted.add(key)
        if held.place is Place.LIVE:
            plan.updates.append(RefUpdate(self.layout.ref(key), held.version, None))
        # A delete with an old value that the server does not know would succeed whatever is
        # there: the version is made reachable from the board in the same push, below a tombstone
        # that says who removed the record.
        self.materialise(plan, held)
        tombstone = msgspec.structs.replace(
            self._envelope(tx, key, held, stamp, value={}, after=held.version), deleted=True
        )
        built = build_version(tombstone, self._objects.format)
        plan.objects += built.objects
        edit.keep.append(built.commit)
        edit.trailers.append(f"{DELETED}: {built.commit}")

    def _rendered(self, state: State, plan: Plan) -> Mapping[str, bytes]:
        """Return the board's pages: of all records, or of the live ones where there are many."""
        held, parked = state.held, state.board.parked
        many = not parked.is_short or parked.count() + len(plan.envelopes) > _SHOWN
        live = {update.new for update in plan.updates}
        written = {
            key: envelope
            for key, envelope in plan.envelopes.items()
            if key.startswith(self._prefix) and (not many or plan.versions[key] in live)
        }
        values: dict[str, Value] = {
            key.removeprefix(self._prefix): one.envelope.value
            for key, one in (held.near if many else held).items()
            if key.startswith(self._prefix) and key not in plan.deleted
        }
        values |= {key.removeprefix(self._prefix): e.value for key, e in written.items()}
        others = held.count_parked() + len(plan.envelopes) - len(written) if many else 0
        return self._policy.render(values, others=others)


def permanent(held: Held) -> Oid:
    """Return the version of ``held`` that stays: a heartbeat will be replaced, its claim not."""
    if held.envelope.heartbeat and held.envelope.after:
        return Oid(held.envelope.after)
    return held.version


def find_conflicts(state: State, tx: Transaction, layout: Layout) -> dict[Key, Record | Absent]:
    """Return what is there for each key whose expectation does not hold."""
    found: dict[Key, Record | Absent] = {}
    for key, expected in tx.expect.items():
        held = state.held.get(key)
        if held is None:
            if expected is not ABSENT:
                found[key] = ABSENT
        elif expected is ABSENT or str(expected) != held.version:
            found[key] = to_record(held, layout)
    return found
