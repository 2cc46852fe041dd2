"""What a hostile or late client sends to the remote changes nothing for others (I1, I2, I4, I8).

Late pushes are held back before they leave and sent when the world has moved on. Hostile records
are written to the bare remote by plain git.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Mapping, Sequence

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import ClaimLost, InvalidInput
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Branch, Move, make_key
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.model import Status
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.settings import QueueSettings

from .place import ACTOR, Forwarding, Place, change, create, put

TASK = make_key("tasks", "task-001")
TASK_REF = "refs/baton/tasks/task-001"
MAIN = "refs/heads/main"


class Cut(Exception):
    """The client was stopped before its push left."""


class HeldBack(Forwarding):
    """Keeps the first push of ``ref`` for later, and stops the client there."""

    def __init__(self, remote: Remote, ref: str) -> None:
        super().__init__(remote)
        self.ref = ref
        self.held: tuple[Sequence[RefUpdate], bool] | None = None

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if self.held is None and any(update.ref == self.ref for update in updates):
            self.held = (updates, atomic)
            raise Cut
        return self.inner.push(updates, atomic=atomic)

    def send(self) -> Mapping[str, RefResult]:
        """Send what was held back."""
        assert self.held is not None
        updates, atomic = self.held
        return self.inner.push(updates, atomic=atomic)


def open_queue(store: Store) -> Queue:
    """Return a queue on ``store`` that remembers nothing from earlier runs."""
    clock = SystemClock()
    return Queue(
        store,
        clock=clock,
        rng=random.Random(3),
        settings=QueueSettings(project="review"),
        gatekeeper=GateKeeper(project="review"),
        observer=Observer(MemoryStore(clock=clock), clock, "remote"),
    )


def somebody(number: int) -> Claimant:
    return Claimant(f"agent-{number}", f"worker-{number}", f"machine-{number}")


def late(place: Place, number: int, ref: str) -> tuple[Queue, HeldBack]:
    """Return a queue in clone ``number`` whose first push of ``ref`` is held back."""
    caught: list[HeldBack] = []

    def wrap(remote: Remote) -> Remote:
        caught.append(HeldBack(remote, ref))
        return caught[0]

    return open_queue(place.store(number, wrap=wrap)), caught[0]


def write_raw(place: Place, ref: str, body: str) -> None:
    """Let ``ref`` name a commit whose ``record.json`` is ``body``."""
    blob = place.git("hash-object", "-w", "--stdin", stdin=body)
    tree = place.git("mktree", stdin=f"100644 blob {blob}\trecord.json\n")
    name = ("-c", "user.name=mallory", "-c", "user.email=mallory@example.com")
    place.git("update-ref", ref, place.git(*name, "commit-tree", tree, "-m", "claim: all"))


def envelope(value: str) -> str:
    """Return a record of ``tasks/evil`` whose value is the JSON text ``value``."""
    plain = {
        "format": 1,
        "key": "tasks/evil",
        "seq": 1,
        "transaction": "ab" * 16,
        "heartbeat": False,
        "after": None,
        "at": "2026-01-01T00:00:00Z",
        "actor": "mallory",
        "email": "mallory@example.com",
        "subject": "claim: all",
        "value": "@",
    }
    return json.dumps(plain).replace('"@"', value)


def test_a_landing_sent_minutes_late_moves_neither_record_nor_branch(place: Place) -> None:
    """I2: the claim was ended and won by another since; the old epoch's push is refused whole."""
    first = place.commit_file(1, "a", "a")
    subprocess.run(["git", "-C", place.clone(1), "push", "-q", "origin", "main"], check=True)
    second = place.commit_file(1, "b", "b")
    here = open_queue(place.store(0))
    here.add([Draft(title="task", id="task-001")], actor=ACTOR)
    zombie, remote = late(place, 1, MAIN)
    [old] = zombie.claim(somebody(1))
    move = Move(Branch("main"), first, second)
    with pytest.raises(Cut):
        zombie.done(old.token, branch="main", commit=second, moves=[move])
    here.release(old.token, "taken back")
    [new] = here.claim(somebody(0))
    assert new.token.epoch == old.token.epoch + 1
    before = place.refs()
    results = remote.send()
    assert not any(result.state is PushState.DONE for result in results.values())
    assert place.refs() == before
    with pytest.raises(ClaimLost):
        zombie.done(old.token, branch="main", commit=second, moves=[move])
    assert place.refs()[MAIN] == first


def test_a_claim_sent_late_loses_to_a_task_folded_and_retried(place: Place) -> None:
    """I1: the version it names has been replaced, folded away and brought back in other words."""
    here = open_queue(place.store(0))
    here.add([Draft(title="task", id="task-001")], actor=ACTOR)
    zombie, remote = late(place, 1, TASK_REF)
    with pytest.raises(Cut):
        zombie.claim(somebody(1))
    [claimed] = here.claim(somebody(0))
    here.done(claimed.token)
    folder = place.store(2)
    record = folder.read().records[TASK]
    put(folder, TASK, {**record.value, "finished": True}, record.version)
    assert folder.tidy(force=True).folded == 1
    record = folder.read().records[TASK]
    pending = {k: v for k, v in record.value.items() if k not in ("finished", "ended", "result")}
    put(folder, TASK, {**pending, "status": "pending"}, record.version)
    before = place.refs()
    results = remote.send()
    assert not any(result.state is PushState.DONE for result in results.values())
    assert place.refs() == before
    [again] = open_queue(place.store(3)).claim(somebody(3))
    assert again.token.epoch == claimed.token.epoch + 1


@pytest.mark.parametrize(
    "value",
    [
        '{"n": "\\ud800"}',
        '{"n": 1e400}',
        '{"n": ' + "9" * 5000 + "}",
        '{"n": ' + "[" * 5000 + "]" * 5000 + "}",
        '["no object"]',
    ],
    ids=["surrogate", "infinite", "long-number", "deep", "list"],
)
def test_a_value_that_nobody_could_write_back_is_quarantined(place: Place, value: str) -> None:
    """I8: it is named as damaged, and stops neither readers nor upkeep."""
    create(place.store(0), "good")
    write_raw(place, "refs/baton/tasks/evil", envelope(value))
    store = place.store(1)
    snapshot = store.read("tasks/")
    assert list(snapshot.records) == ["tasks/good"]
    assert list(snapshot.damaged) == ["tasks/evil"]
    store.tidy(force=True)
    assert create(store, "later")


def test_a_landing_on_the_board_or_among_the_records_is_refused(place: Place) -> None:
    """I8: ``branch`` of a task is data; the board is no branch for results."""
    commit = place.commit_file(0, "a", "a")
    store = place.store(0)
    version = create(store, "task-001")
    before = place.refs()
    move = Move(Branch("baton"), None, commit)
    with pytest.raises(InvalidInput):
        store.commit([change({TASK: version}, {TASK: {"n": 1}}, move)])
    assert place.refs() == before


def test_heartbeats_of_many_claims_go_on_where_the_host_refuses_to_replace(place: Place) -> None:
    """I4: a host without non-fast-forward updates gets a chain of heartbeats instead."""
    place.git("config", "receive.denyNonFastForwards", "true")
    queue = open_queue(place.store(0))
    queue.add([Draft(title=id, id=id) for id in ("a", "b", "c")], actor=ACTOR)
    claims = queue.claim(somebody(0), count=3)
    tokens = [claimed.token for claimed in claims]
    for _ in range(3):
        renewed = queue.renew(tokens)
        assert not [result for result in renewed.values() if isinstance(result, Exception)]
    assert queue.done(tokens[0]).status is Status.DONE
