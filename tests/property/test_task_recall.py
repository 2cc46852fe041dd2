"""Claims decided on what was seen some time ago: however old it is, the answers are true.

Several queues on one store. What each recalls is any snapshot that it has seen before, and another
queue may act just before it commits. So nearly every decision is made on what is no longer there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.errors import BatonError
from gitbaton.store.model import Key, Snapshot
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Claimant, Claimed, Token
from gitbaton.tasks.globs import overlap
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.validation import decode_task
from tests.unit.tasks.desk import ANN, Desk, Meddler, who

TEAM = 3
TASKS: list[dict[str, Any]] = [
    {"id": "a", "priority": 0},
    {"id": "b", "needs": ["a"]},
    {"id": "c", "paths": ["src/**"]},
    {"id": "d", "paths": ["src/x.py", "docs/*"], "needs": ["a"]},
    {"id": "e"},
    {"id": "f", "paths": ["docs/**"]},
]
IDS = [fields["id"] for fields in TASKS]

ids = st.sampled_from(IDS)
crew = st.integers(0, TEAM - 1)


class Lagging(Meddler):
    """Recalls any snapshot of its own; never what it committed itself, unless it has looked since.

    ``lag``: how many looks ago it was.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seen: list[Snapshot] = []
        self.lag = 0

    def read(self, prefix: str = "") -> Snapshot:
        self.seen.append(super().read(prefix))
        return self.seen[-1]

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.seen[-1 - self.lag % len(self.seen)] if self.seen else None


class Fleet:
    """The queues, and what is true of their store."""

    def __init__(self) -> None:
        self.desk = Desk(backoff=0.0)
        self.stores = [Lagging(self.desk.memory) for _ in range(TEAM)]
        self.queues = [self.desk.join(store, seed=n) for n, store in enumerate(self.stores)]
        self.tokens: list[Token] = []
        for fields in TASKS:
            self.desk.add(**fields)
        [first] = self.desk.other.claim(who("first"), ids=["a"])
        self.desk.other.done(first.token)
        for queue in self.queues:
            queue.view()

    def now(self, id: str) -> Task:
        key = Key(f"tasks/{id}")
        return decode_task(key, self.desk.memory.read(key).records[key].value)

    def claim(self, queue: Queue, wanted: Sequence[str], seats: Sequence[Claimant]) -> None:
        try:
            won = queue.claim(seats, ids=wanted)
        except BatonError:
            return
        for claimed in won:
            self.may_be_given_out(claimed)
            self.tokens.append(claimed.token)
        names = [claimed.task.claim.agent for claimed in won if claimed.task.claim]
        assert names == [seat.agent for seat in seats if seat.agent in names]
        assert len(names) == len(won) <= len(seats)

    def may_be_given_out(self, claimed: Claimed) -> None:
        task = self.now(claimed.task.id)
        assert task == claimed.task
        assert task.claim is not None
        assert (task.claim.epoch, task.claim.nonce) == (claimed.token.epoch, claimed.token.nonce)
        assert all(self.now(need).status is Status.DONE for need in task.needs)
        for id in IDS:
            other = self.now(id)
            if id != task.id and other.status is Status.IN_PROGRESS:
                assert overlap(task.paths, other.paths) is None, (task.id, id)

    def end(self, queue: Queue, verb: str, pick: int) -> None:
        if not self.tokens:
            return
        token = self.tokens[pick % len(self.tokens)]
        before = self.now(token.task)
        held = before.claim is not None and before.claim.nonce == token.nonce
        if verb == "renew":
            ended = not isinstance(queue.renew([token])[token], Exception)
        else:
            try:
                getattr(queue, verb)(token, *(["why"] if verb == "fail" else []))
                ended = True
            except BatonError:
                ended = False
        repeated = before.ended is not None and before.ended.nonce == token.nonce
        assert not ended or held or repeated

    def history_is_lawful(self) -> None:
        """I1: one holder for each task and epoch; epochs strictly increase."""
        epochs = dict.fromkeys(IDS, 0)
        nonces: dict[tuple[str, int], str] = {}
        for change in reversed(self.desk.memory.history()):
            if not change.key.startswith("tasks/"):
                continue
            assert change.value is not None
            task = decode_task(change.key, change.value)
            started = change.subject.startswith("claim: ")
            assert task.epoch == epochs[task.id] + started
            epochs[task.id] = task.epoch
            if task.claim is not None:
                assert task.claim.epoch == task.epoch
                assert nonces.setdefault((task.id, task.epoch), task.claim.nonce) == (
                    task.claim.nonce
                )
        given = {(token.task, token.epoch): token.nonce for token in self.tokens}
        assert len(given) == len(self.tokens)
        assert all(nonces[held] == nonce for held, nonce in given.items())


Act = Callable[[Fleet, Queue], object]


def quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except BatonError:
        return


def people(verb: str, id: str) -> Act:
    options: dict[str, Any] = {"force": True} if verb == "retry" else {}
    words = [None] if verb == "cancel" else []
    return lambda _, q: quietly(lambda: getattr(q, verb)(id, *words, actor=ANN, **options))


claims = st.builds(
    lambda wanted, n: lambda f, q: f.claim(q, wanted, [who(f"s{i}") for i in range(n)]),
    st.lists(ids, max_size=2),
    st.integers(1, 3),
)
ends = st.builds(
    lambda verb, pick: lambda f, q: f.end(q, verb, pick),
    st.sampled_from(["done", "release", "fail", "renew"]),
    st.integers(0, 7),
)
decisions = st.builds(people, st.sampled_from(["cancel", "retry"]), ids)
meddling = st.one_of(
    st.none(),
    st.just(people("retry", "a")),
    decisions,
    st.builds(lambda wanted: lambda f, q: f.claim(q, [wanted], [who("thief")]), ids),
)
steps = st.tuples(
    crew, st.one_of(claims, claims, ends, decisions), st.integers(0, 5), meddling, st.booleans()
)


@given(st.lists(steps, min_size=5, max_size=30))
@settings(max_examples=120, deadline=None)
def test_however_old_what_is_recalled_nobody_gets_a_wrong_token(
    run: list[tuple[int, Act, int, Act | None, bool]],
) -> None:
    fleet = Fleet()
    for number, act, lag, other, late in run:
        store = fleet.stores[number]
        store.lag = lag
        store.before_commit = None
        if other is not None:
            meddle = other
            store.before_commit = lambda meddle=meddle: meddle(fleet, fleet.desk.other)
        act(fleet, fleet.queues[number])
        if late:
            fleet.desk.clock.advance(7)
    fleet.history_is_lawful()
