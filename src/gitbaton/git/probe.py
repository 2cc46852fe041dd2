"""Finds out what a git host allows, by doing it to refs that are nobody's.

What a host says of itself (capabilities, documentation) does not tell what its hooks, rules and
permissions make of it for *this* account. So each thing that the protocol builds on
(docs/design/protocol.md) is tried.

Some things must not be done even for a moment: a push to the board, a branch whose creation starts
a pipeline. These are *rehearsed*: sent in one atomic push with a ref that can never be created,
because another one has the name of its directory. The host judges everything, and applies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from gitbaton.core.ids import Oid
from gitbaton.git.disposable import Disposables, disposable_branch, disposable_record
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import PushState, RefResult, RefUpdate

Ability: TypeAlias = Literal[
    "create",  # a ref in the namespace can be created
    "list",  # and is shown to whoever lists
    "cas",  # of several clients with one expectation, one wins; a wrong old value is refused
    "update",  # a ref can be moved forward
    "replace",  # and sideways: the next heartbeat takes the place of the last
    "delete",  # a ref can be deleted
    "guarded_delete",  # but not with a wrong old value
    "atomic",  # several refs can be created and deleted all at once
    "whole",  # and a refused push of several applies none of them
    "branch",  # results can be published
    "board",  # the board can be written
]
ABILITIES: Final[tuple[Ability, ...]] = get_args(Ability)

_RACERS: Final = 3
_TOLD: Final = ("transaction", "lock", "exists", "conflict")  # the words of a failed rehearsal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one probe showed. ``holds`` None: it could not be told. ``reason``: the host's words."""

    holds: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What is to be written to on this host. The board is a full ref name."""

    namespace: str
    board: str
    branch_prefix: str


class HostProbe:
    """One examination of a host. ``told`` is called with what is tried next, for people."""

    def __init__(
        self,
        bench: Disposables,
        objects: ObjectStore,
        names: Names,
        *,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._bench = bench
        self._objects = objects
        self._names = names
        self._told = told
        self._ref = disposable_record(names.namespace)
        self._found: dict[Ability, Verdict] = {}
        self.left: tuple[str, ...] = ()

    def run(self) -> Mapping[Ability, Verdict]:
        """Try everything, and clean up, whatever happens; ``left`` is what could not be removed.

        Raises RemoteUnreachable, HostRefused (when even reading is refused).
        """
        try:
            first = self._create()
            if first is not None and self._listed(first):
                self._move(first)
            self._publish()
        finally:
            self.left = self._bench.clean()
        unknown = Verdict(None, "not tried")
        return {ability: self._found.get(ability, unknown) for ability in ABILITIES}

    # --- one ref in the namespace

    def _create(self) -> Oid | None:
        """Let several create one ref at the same time; return the value that it should have now."""
        self._told("creating one ref several times at once")
        commits = [self._bench.commit() for _ in range(_RACERS)]
        with ThreadPoolExecutor(_RACERS) as pool:
            results = list(pool.map(lambda oid: self._one(None, oid), commits))
        winners = [c for c, r in zip(commits, results, strict=True) if r.state is PushState.DONE]
        refused = [r for r in results if r.state is PushState.REFUSED]
        if refused and not winners:
            self._found["create"] = Verdict(False, refused[0].reason)
            return None
        if not winners:  # the answers were lost on the way: what is there?
            there = self._bench.see(self._ref).get(self._ref)
            self._found["create"] = Verdict(True if there else None, results[0].reason)
            return there
        self._found["create"] = Verdict(True)
        if len(winners) > 1:
            words = f"{len(winners)} clients were told that they had created one and the same ref"
            self._found["cas"] = Verdict(False, words)
        return winners[0]

    def _listed(self, value: Oid) -> bool:
        there = self._bench.see(self._ref).get(self._ref)
        words = "" if there else "a ref that was created is not listed"
        self._found["list"] = Verdict(there is not None, words)
        return there is not None and self._found.get("cas", Verdict(True)).holds is not False

    def _move(self, first: Oid) -> None:
        self._told("moving it, with right and wrong old values")
        stranger = self._bench.commit()
        wrong = [self._one(None, stranger), self._one(stranger, self._bench.commit())]
        self._found["cas"] = self._must_fail(wrong)
        current = first
        steps: tuple[Ability, ...] = ("update", "replace")
        for ability in steps:
            ahead = self._bench.commit(first)  # the second one is a sibling of the first
            self._found[ability] = self._must_succeed(self._one(current, ahead), ahead)
            current = ahead if self._found[ability].holds else current
        self._found["guarded_delete"] = self._must_fail([self._one(stranger, None)])
        self._found["whole"] = self._refused_whole(current)
        self._rehearse_all()
        self._delete(current)

    def _delete(self, current: Oid) -> None:
        self._told("deleting, and several refs at once")
        self._found["delete"] = self._must_succeed(self._one(current, None), None)
        if self._bench.remote.supports_atomic is False:
            self._found["atomic"] = Verdict(False, "the host takes no atomic pushes")
        elif self._found["delete"].holds:
            self._found["atomic"] = self._several()
        elif self._bench.remote.supports_atomic:
            self._found["atomic"] = Verdict(True)  # seen in a refusal; nothing more is left behind

    def _several(self) -> Verdict:
        """Create two refs in one push, and delete them in another."""
        pair = {f"{self._ref}-{letter}": self._bench.commit() for letter in "ab"}
        created = [RefUpdate(ref, None, oid) for ref, oid in pair.items()]
        deleted = [RefUpdate(ref, oid, None) for ref, oid in pair.items()]
        for updates in (created, deleted):
            results = self._bench.push(*updates, atomic=True)
            failed = [r for r in results.values() if r.state is not PushState.DONE]
            if failed and not self._as_sent(updates):
                return Verdict(False, failed[0].reason)
        return Verdict(True)

    def _as_sent(self, updates: Sequence[RefUpdate]) -> bool:
        there = self._bench.see(*(update.ref for update in updates))
        return all(there.get(update.ref) == update.new for update in updates)

    def _refused_whole(self, current: Oid) -> Verdict:
        """Send a push whose second half cannot be applied, and see what became of the first."""
        ahead = self._bench.commit(current)
        results = self._bench.push(
            RefUpdate(self._ref, current, ahead), self._impossible(), atomic=True
        )
        if self._bench.remote.supports_atomic is False:
            return Verdict(None, results[self._ref].reason)
        if self._bench.see(self._ref).get(self._ref) == current:
            return Verdict(True)
        if all(result.state is PushState.DONE for result in results.values()):
            return Verdict(None, "this host takes what stock git refuses")
        return Verdict(False, "of two refs that were to move together, one did")

    # --- branches: rehearsed where that can be, else done and undone

    def _rehearse_all(self) -> None:
        if self._bench.remote.supports_atomic is not True or not self._found["whole"].holds:
            return
        self._told("rehearsing a branch and the board")
        branch = disposable_branch(self._names.branch_prefix)
        self._found["branch"] = self._rehearse(RefUpdate(branch, None, self._bench.commit()))
        board = self._names.board
        tip = self._bench.see(board).get(board)
        if tip is None:
            update = RefUpdate(board, None, self._bench.commit())
        else:
            if self._objects.missing([tip]):
                self._bench.remote.fetch({board: tip})
            if self._objects.missing([tip]):  # it moved on: then somebody writes it
                return
            update = RefUpdate(board, tip, self._bench.commit(tip, tree_of=tip))
        self._found["board"] = self._rehearse(update)

    def _rehearse(self, update: RefUpdate) -> Verdict:
        """Let the host judge ``update`` without applying it."""
        results = self._bench.push(update, self._impossible(), atomic=True)
        mine = results[update.ref]
        if mine.state is PushState.REFUSED:
            return Verdict(False, mine.reason)
        judged = any(word in mine.reason for word in _TOLD)
        return Verdict(True) if mine.state is PushState.DONE or judged else Verdict(None)

    def _publish(self) -> None:
        """Try the branches that could not be rehearsed by making them and taking them away."""
        prefixes: dict[Ability, str] = {
            "branch": self._names.branch_prefix,
            "board": self._names.board.removeprefix("refs/heads/"),
        }
        for ability, prefix in prefixes.items():
            if self._found.get(ability, Verdict(None)).holds is not None:
                continue
            self._told(f"creating a branch {prefix}…")
            ref, oid = disposable_branch(prefix), self._bench.commit()
            made = self._bench.push(RefUpdate(ref, None, oid))[ref]
            if made.state is PushState.DONE:
                self._bench.push(RefUpdate(ref, oid, None))
            done, no = made.state is PushState.DONE, made.state is PushState.REFUSED
            self._found[ability] = Verdict(True if done else False if no else None, made.reason)

    # --- the small change

    def _one(self, old: Oid | None, new: Oid | None) -> RefResult:
        return self._bench.push(RefUpdate(self._ref, old, new))[self._ref]

    def _impossible(self) -> RefUpdate:
        """A ref that cannot be: its directory has the name of a ref that is there."""
        return RefUpdate(f"{self._ref}/blocked", None, self._bench.commit())

    def _must_fail(self, results: Sequence[RefResult]) -> Verdict:
        taken = any(result.state is PushState.DONE for result in results)
        return Verdict(not taken, "a push with a wrong old value was taken" if taken else "")

    def _must_succeed(self, result: RefResult, value: Oid | None) -> Verdict:
        if result.state is PushState.DONE:
            return Verdict(True)
        if self._bench.see(self._ref).get(self._ref) == value:  # the answer was lost
            return Verdict(True)
        return Verdict(False, result.reason)
