"""The whole queue under random events: several claimants, one store, clocks moved by hand.

While one queue decides, another may act between its look and its commit. What must hold is checked
against the store's history, which no queue can rewrite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GateClosed,
    NothingToClaim,
    Refused,
)
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Actor, Change, Key, Transaction
from gitbaton.tasks.claims import Claimed, Token
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.globs import overlap
from gitbaton.tasks.machine import TABLE, Verb
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.validation import decode_task
from tests.unit.tasks.desk import ANN, OID, PROJECT, Desk, Meddler, who

PEOPLE = [ANN, Actor("eve")]
TEAM = 3
VERBS = {
    "claim": [Verb.CLAIM],
    "renew": [Verb.RENEW],
    "done": [Verb.DONE],
    "review": [Verb.SUBMIT],
    "block": [Verb.BLOCK],
    "release": [Verb.RELEASE],
    "fail": [Verb.FAIL, Verb.EXHAUST],
    "reset": [Verb.RESET, Verb.EXHAUST],
    "cancel": [Verb.CANCEL],
    "retry": [Verb.RETRY],
    "unblock": [Verb.UNBLOCK],
    "accept": [Verb.ACCEPT],
    "reject": [Verb.REJECT],
    "edit": [Verb.EDIT],
    "approve": [Verb.APPROVE],
    "revoke": [Verb.REVOKE],
}
TASKS: list[dict[str, Any]] = [
    {"id": "a", "priority": 0},
    {"id": "b", "needs": ["a"], "paths": ["src/**"]},
    {"id": "c", "paths": ["src/x.py"], "max_attempts": 2},
    {"id": "d", "paths": ["*/x.py", "docs/*"], "timeout": 120.0},
    {"id": "e", "needs": ["a", "c"], "gate": "g"},
]
IDS = [fields["id"] for fields in TASKS]

Act = Callable[[Queue], object]

ids = st.sampled_from(IDS)
crew = st.integers(0, TEAM - 1)


def quietly(act: Act, queue: Queue) -> None:
    try:
        act(queue)
    except BatonError:
        return


by_others: st.SearchStrategy[Act | None] = st.one_of(
    st.none(),
    st.builds(lambda name: lambda q: q.claim(who("thief"), ids=[name]), ids),
    st.builds(lambda name: lambda q: q.cancel(name, None, actor=ANN), ids),
    st.builds(lambda name: lambda q: q.retry(name, force=True, actor=ANN), ids),
    st.builds(lambda name: lambda q: q.edit(name, {"body": "more"}, actor=ANN), ids),
    st.builds(lambda name: lambda q: q.revoke(name, actor=ANN), ids),
    st.just(lambda q: q.reap()),
)


class Fleet(RuleBasedStateMachine):
    """Claimants, people and reapers on one store."""

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        keeper = GateKeeper(project=PROJECT, approvers={"g": ["ann"]})
        self.desk = Desk(gatekeeper=keeper, lease=90.0, backoff=10.0)
        self.stores = [Meddler(self.desk.memory) for _ in range(TEAM)]
        self.queues = [self.desk.join(store, seed=n) for n, store in enumerate(self.stores)]
        self.seen: set[str] = set()
        self.latest: dict[str, Task] = {}
        self.nonces: dict[tuple[str, int], str] = {}

    @initialize()
    def fill(self) -> None:
        for fields in TASKS:
            self.desk.add(**fields)

    def meddle(self, number: int, act: Act | None, moment: str = "before_commit") -> Queue:
        """Return a queue around whose next read or commit somebody else acts."""
        for store in self.stores:
            store.after_read = store.before_commit = store.after_commit = None
        if act is not None:
            setattr(self.stores[number], moment, lambda: quietly(act, self.desk.other))
        return self.queues[number]

    def now(self, id: str) -> Task:
        key = Key(f"tasks/{id}")
        return decode_task(key, self.desk.memory.read(key).records[key].value)

    # --- claimants

    @rule(
        target=tokens,
        number=crew,
        wanted=st.lists(ids, max_size=2),
        other=by_others,
        count=st.integers(1, 3),
        moment=st.sampled_from(["after_read", "before_commit", "after_commit"]),
    )
    def claim(
        self, number: int, wanted: list[str], count: int, other: Act | None, moment: str
    ) -> Any:
        queue = self.meddle(number, other, moment)
        try:
            won = queue.claim(who(f"agent-{number}"), ids=wanted, count=count)
        except NothingToClaim:
            return multiple()
        assert 1 <= len(won) <= count
        for claimed in won:
            self.may_be_held(claimed, meddled=other is not None)
        return multiple(*(claimed.token for claimed in won))

    def may_be_held(self, claimed: Claimed, *, meddled: bool) -> None:
        """Check that a token is handed out only for what is ours and ready at that moment."""
        task = self.now(claimed.task.id)
        if meddled and task.claim is None:  # taken away again before anybody could look
            assert task.ended is not None
            assert task.ended.nonce == claimed.token.nonce
            return
        assert task.claim is not None
        assert task.claim.nonce == claimed.token.nonce
        assert self.needs_are_met(task)
        assert self.desk.gatekeeper.closed(task) is None

    def needs_are_met(self, task: Task) -> bool:
        needs = [self.now(need) for need in task.needs]
        return all(
            n.status is Status.DONE or (n.status is Status.REVIEW and n.result is not None)
            for n in needs
        )

    @rule(
        number=crew,
        token=tokens,
        other=by_others,
        verb=st.sampled_from(["block", "release", "fail", "done", "review"]),
    )
    def end(self, number: int, token: Token, verb: str, other: Act | None) -> None:
        before = self.now(token.task)
        current = before.claim is not None and before.claim.nonce == token.nonce
        queue = self.meddle(number, other)
        try:
            if verb in ("done", "review"):
                branch = f"task/{token.task}"
                queue.done(token, branch=branch, commit=OID, review=verb == "review")
            else:
                getattr(queue, verb)(token, "because")
        except ClaimLost:
            assert not current or other is not None
        except GateClosed:
            assert current
            assert verb in ("done", "review")
        else:
            repeated = before.ended is not None and before.ended.nonce == token.nonce
            assert current or repeated
            if other is None:
                assert self.now(token.task).claim is None
                assert not current or verb not in ("done", "review") or self.needs_are_met(before)

    @rule(token=tokens)
    def use_a_stale_token(self, token: Token) -> None:
        before = self.now(token.task)
        if before.claim is not None and before.claim.nonce == token.nonce:
            return
        [answer] = self.meddle(0, None).renew([token]).values()
        assert isinstance(answer, ClaimLost)
        assert self.now(token.task) == before

    @rule(number=crew, some=st.lists(tokens, max_size=4), other=by_others)
    def renew(self, number: int, some: list[Token], other: Act | None) -> None:
        answers = self.meddle(number, other).renew(some)
        assert set(answers) == set(some)
        for token, answer in answers.items():
            if isinstance(answer, Task):
                assert answer.claim is not None
                assert answer.claim.nonce == token.nonce

    # --- people

    @rule(
        id=ids,
        person=st.sampled_from(PEOPLE),
        verb=st.sampled_from(
            ["cancel", "retry", "force", "unblock", "accept", "reject", "approve", "revoke", "edit"]
        ),
    )
    def decide(self, id: str, person: Actor, verb: str) -> None:
        queue = self.meddle(0, None)
        acts: dict[str, Callable[[], Task]] = {
            "cancel": lambda: queue.cancel(id, "why not", actor=person),
            "retry": lambda: queue.retry(id, force=False, actor=person),
            "force": lambda: queue.retry(id, force=True, actor=person),
            "unblock": lambda: queue.unblock(id, "yes", actor=person),
            "accept": lambda: queue.accept(id, actor=person),
            "reject": lambda: queue.reject(id, "no", actor=person),
            "approve": lambda: queue.approve(id, actor=person),
            "revoke": lambda: queue.revoke(id, actor=person),
            "edit": lambda: queue.edit(id, {"paths": ["src/*"]}, actor=person),
        }
        before = self.now(id)
        try:
            acts[verb]()
        except (Refused, GateClosed):
            assert self.now(id) == before
        else:
            assert not (verb == "approve" and person.name != "ann")

    # --- time

    @rule(seconds=st.sampled_from([1.0, 25.0, 30.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.desk.clock.advance(seconds)

    @rule(number=crew, token=st.none() | tokens)
    def watch_and_reap(self, number: int, token: Token | None) -> None:
        """Let a lease pass under the eyes of one observer; who renews is spared."""
        queue = self.meddle(number, None)
        for _ in range(4):
            queue.reap()
            self.desk.clock.advance(30)
            if token is not None:
                self.desk.other.renew([token])
        for reaped in queue.reap():
            assert reaped.before.claim is not None
            renewing = token is not None and reaped.before.claim.nonce == token.nonce
            assert not renewing or "timed out" in reaped.reason

    @rule(token=consumes(tokens))
    def forget(self, token: Token) -> None:
        """A claimant dies."""

    # --- what must hold, from the history

    @invariant()
    def history_is_lawful(self) -> None:
        for change in reversed(self.desk.memory.history()):  # replaced heartbeats may be gone
            if change.key.startswith("tasks/") and change.version not in self.seen:
                self.lawful(change)
                self.seen.add(change.version)

    def lawful(self, change: Change) -> None:
        assert change.value is not None
        after = decode_task(change.key, change.value)
        before = self.latest.get(after.id)
        word = change.subject.partition(":")[0]
        if before is None:
            assert word == "add"
        else:
            allowed = [TABLE.get((before.status, verb)) for verb in VERBS[word]]
            assert after.status in allowed, (before.status, word, after.status)
            self.epochs_are_kept(before, after)
            assert before.attempts <= after.attempts or word == "retry"
        assert after.attempts <= after.max_attempts
        assert (after.attempts == after.max_attempts) <= (
            after.status in (Status.FAILED, Status.CANCELLED)
        )
        self.latest[after.id] = after
        self.nobody_overlaps()

    def epochs_are_kept(self, before: Task, after: Task) -> None:
        """I1: one holder for each task and epoch; epochs strictly increase."""
        started = after.claim is not None and before.claim is None
        assert after.epoch == before.epoch + started
        if after.claim is not None:
            nonce = self.nonces.setdefault((after.id, after.epoch), after.claim.nonce)
            assert nonce == after.claim.nonce
            assert len(set(self.nonces.values())) == len(self.nonces)

    def nobody_overlaps(self) -> None:
        busy = [t for t in self.latest.values() if t.status is Status.IN_PROGRESS]
        for number, one in enumerate(busy):
            for other in busy[number + 1 :]:
                assert overlap(one.paths, other.paths) is None, (one.id, other.id)

    def teardown(self) -> None:
        """However it went: people and one worker can always bring every task to its end."""
        queue = self.meddle(0, None)
        for id in IDS:
            task = self.now(id)
            if task.status is Status.BLOCKED:
                queue.unblock(id, None, actor=ANN)
            elif task.status in (Status.FAILED, Status.CANCELLED):
                queue.retry(id, force=True, actor=ANN)
            elif task.status is Status.REVIEW:
                queue.reject(id, "again", actor=ANN)
            elif task.status is Status.IN_PROGRESS:
                queue.cancel(id, None, actor=ANN)
                queue.retry(id, force=True, actor=ANN)
            queue.view()
        if self.now("e").status is not Status.DONE:
            queue.approve("e", actor=ANN)
        for _ in range(len(IDS)):
            queue.view()
            self.desk.clock.advance(2000)
            for claimed in self.drain(queue):
                queue.done(claimed.token)
        assert {self.now(id).status for id in IDS} == {Status.DONE}
        self.history_is_lawful()

    def drain(self, queue: Queue) -> Sequence[Claimed]:
        try:
            return queue.claim(who("last"), count=5)
        except NothingToClaim:
            return []


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_the_rules_above_can_fail() -> None:
    """A planted second holder of one epoch is noticed."""
    fleet = Fleet()
    fleet.fill()
    fleet.history_is_lawful()
    [won] = fleet.queues[0].claim(who(), ids=["a"])
    fleet.history_is_lawful()
    stolen = msgspec.to_builtins(won.task)
    stolen["claim"]["nonce"] = "f" * 32
    subject = "renew: a by eve"
    version = fleet.desk.memory.read("tasks/a").records[Key("tasks/a")].version
    fleet.desk.memory.commit(
        [
            Transaction(
                expect={Key("tasks/a"): version},
                write={Key("tasks/a"): {"format": 1, **stolen}},
                subject=subject,
                actor=Actor("eve"),
            )
        ]
    )
    try:
        fleet.history_is_lawful()
    except AssertionError:
        return
    raise AssertionError(f"the second holder of {TaskId('a')} was not noticed")
