"""The queue over the memory engine: claiming, holding, steering, reaping, reading."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gitbaton.core.errors import (
    ClaimLost,
    DamagedRecord,
    GateClosed,
    HostRefused,
    InvalidInput,
    NothingToClaim,
    OutcomeUnknown,
    Refused,
    RemoteUnreachable,
    TaskExists,
    UnknownTask,
    WrongStatus,
)
from gitbaton.core.ids import Nonce, Oid
from gitbaton.store.model import Actor, Branch, Key, Move, Rejected, Rescue, Unknown
from gitbaton.tasks.claims import Claimed, Token
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.ledger import LandingStale
from gitbaton.tasks.model import Landing, Task, encode_task
from gitbaton.tasks.reservations import PATHS_KEY, decode_reservations
from tests.unit.tasks.desk import ANN, OID, PROJECT, Desk, who

OTHER_OID = Oid("b" * 40)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def take(desk: Desk, id: str, name: str = "bob", **options: Any) -> Claimed:
    [won] = desk.queue.claim(who(name), ids=[id], **options)
    return won


def refusal(desk: Desk, *ids: str, **options: Any) -> NothingToClaim:
    with pytest.raises(NothingToClaim) as caught:
        desk.queue.claim(who(), ids=ids, **options)
    return caught.value


def reservations(desk: Desk) -> list[tuple[str, int]]:
    record = desk.memory.read(PATHS_KEY).records[PATHS_KEY]
    return [(entry.task, entry.epoch) for entry in decode_reservations(record.value)]


# --- tokens


def test_a_token_is_read_back_from_its_text() -> None:
    token = Token.parse("task-1:3:" + "0f" * 16)
    assert (token.task, token.epoch, token.nonce) == ("task-1", 3, "0f" * 16)
    assert Token.parse(f" {token}\n") == token


@pytest.mark.parametrize("text", ["", "a", "a:0:" + "0" * 32, "a:1:xyz", "../a:1:" + "0" * 32])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Token.parse(text)
    assert caught.value.field == "token"


# --- adding


def test_adding_many_is_one_transaction(desk: Desk) -> None:
    added = desk.queue.add([Draft(title="one", id="a"), Draft(title="two", needs=["a"])], actor=ANN)
    assert len(desk.store.commits) == 1
    assert added[1].id.startswith("two-")
    assert set(desk.queue.view().tasks) == {t.id for t in added}
    assert desk.queue.add([], actor=ANN) == []


def test_nothing_is_added_when_one_draft_is_wrong(desk: Desk) -> None:
    desk.add("a")
    good = Draft(title="good", id="g")
    with pytest.raises(TaskExists):
        desk.queue.add([good, Draft(title="x", id="a")], actor=ANN)
    for bad in (
        Draft(title="", id="b"),
        Draft(title="x", id="B"),
        Draft(title="x", id="g"),
        Draft(title="x", needs=["nope"]),
        Draft(title="x", id="b", needs=["b"]),
        Draft(title="x", priority=11),
    ):
        with pytest.raises(InvalidInput):
            desk.queue.add([good, bad], actor=ANN)
    assert set(desk.queue.view().tasks) == {"a"}


def test_a_circle_among_new_tasks_is_refused(desk: Desk) -> None:
    drafts = [Draft(title="a", id="a", needs=["b"]), Draft(title="b", id="b", needs=["a"])]
    with pytest.raises(InvalidInput, match="a -> b -> a"):
        desk.queue.add(drafts, actor=ANN)


def test_an_id_taken_meanwhile_is_found_out(desk: Desk) -> None:
    desk.store.before_commit = lambda: desk.other.add([Draft(title="x", id="a")], actor=ANN)
    with pytest.raises(TaskExists):
        desk.add("a")


# --- claiming


def test_a_claim_has_the_next_epoch_and_a_fresh_nonce(desk: Desk) -> None:
    desk.add("a")
    first = take(desk, "a")
    assert (first.task.epoch, first.token.epoch) == (1, 1)
    assert first.task.claim is not None
    assert (first.task.claim.agent, first.task.claim.lease) == ("bob", 900.0)
    assert desk.queue.check(first.token) == first
    desk.queue.release(first.token)
    second = take(desk, "a", lease=60)
    assert second.token.epoch == 2
    assert second.token.nonce != first.token.nonce


def test_the_next_task_is_the_most_urgent(desk: Desk) -> None:
    desk.add("later", priority=3)
    desk.add("first", priority=0)
    [won] = desk.queue.claim(who())
    assert won.task.id == "first"


def test_the_loser_of_a_race_takes_the_next_task(desk: Desk) -> None:
    desk.add("a", priority=0)
    desk.add("b", priority=1)
    desk.store.before_commit = lambda: desk.other.claim(who("eve"), ids=["a"])
    [won] = desk.queue.claim(who())
    assert won.task.id == "b"


def test_who_is_always_slower_loses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitbaton.tasks.offers._ALTERNATIVES", 15)  # or all are tried at once
    drafts = [Draft(title="x", id=f"t{number}") for number in range(250)]
    desk.queue.add(drafts, actor=ANN)

    class Fast:
        """Claims whatever the slow one is about to claim."""

        def __init__(self) -> None:
            self.commit = desk.store.commit
            self.caught = 0

        def __call__(self, transactions: Any) -> Any:
            [transaction] = transactions
            [key] = transaction.write
            desk.other.claim(who("eve"), ids=[key.partition("/")[2]])
            self.caught += 1
            return self.commit(transactions)

    fast = Fast()
    desk.store.commit = fast  # type: ignore[method-assign]
    with pytest.raises(NothingToClaim) as caught:
        desk.queue.claim(who())
    assert caught.value.code == "lost"
    assert fast.caught > 5


def test_many_are_claimed_in_one_commit(desk: Desk) -> None:
    for number in range(5):
        desk.add(f"t{number}")
    before = desk.store.firsts
    won = desk.queue.claim(who(), count=4)
    assert len({claimed.task.id for claimed in won}) == 4
    assert desk.store.firsts == before + 1
    assert len(desk.queue.claim(who(), count=4)) == 1


def test_why_nothing_was_claimed(desk: Desk) -> None:
    with pytest.raises(NothingToClaim) as caught:
        desk.queue.claim(who())
    assert caught.value.code == "empty"
    desk.add("a")
    desk.add("b", needs=["a"])
    take(desk, "a")
    with pytest.raises(NothingToClaim) as caught:
        desk.queue.claim(who())
    assert caught.value.code == "waiting"
    held = refusal(desk, "a")
    assert (held.code, "bob has it since" in held.message) == ("held", True)
    waiting = refusal(desk, "b")
    assert (waiting.code, "it needs a, which is in-progress" in waiting.message) == (
        "waiting",
        True,
    )
    with pytest.raises(UnknownTask):
        desk.queue.claim(who(), ids=["nope"])


@pytest.mark.parametrize(
    "wish",
    [
        {"count": 0},
        {"count": 101},
        {"lease": 0},
        {"lease": float("nan")},
        {"ids": ["Bad"]},
        {"create": Draft(title="x", id="a"), "count": 2},
        {"create": Draft(title="x", id="a"), "ids": ["b"]},
        {"who": who("a\nb")},
        {"who": who("a", "No Cap")},
    ],
)
def test_a_malformed_wish_is_refused(desk: Desk, wish: dict[str, Any]) -> None:
    claimant = wish.pop("who", who())
    with pytest.raises(InvalidInput):
        desk.queue.claim(claimant, **wish)


def test_create_adds_and_claims_in_one_transaction(desk: Desk) -> None:
    draft = Draft(title="from the tracker", paths=["src/**"])
    [won] = desk.queue.claim(who(), ids=["jira-1"], create=draft)
    assert (won.task.id, won.task.status, won.task.epoch) == ("jira-1", "in-progress", 1)
    assert [len(commit) for commit in desk.store.commits] == [1]
    assert reservations(desk) == [("jira-1", 1)]
    assert refusal(desk, "jira-1", create=draft).code == "held"
    desk.queue.release(won.token)
    [again] = desk.queue.claim(who(), create=Draft(title="other words", id="jira-1"))
    assert (again.task.title, again.token.epoch) == ("from the tracker", 2)


def test_create_that_is_not_ready_adds_nothing(desk: Desk) -> None:
    desk.add("a")
    error = refusal(desk, create=Draft(title="x", id="b", needs=["a"]))
    assert error.code == "waiting"
    assert set(desk.queue.view().tasks) == {"a"}


def test_two_who_create_the_same_task_do_not_both_get_it(desk: Desk) -> None:
    draft = Draft(title="x", id="t")
    desk.store.before_commit = lambda: desk.other.claim(who("eve"), create=draft)
    assert refusal(desk, create=draft).code == "held"


def test_a_claim_of_unknown_outcome_gives_no_token(desk: Desk) -> None:
    desk.add("a")
    desk.store.instead = lambda transactions: [Unknown("link cut")]
    with pytest.raises(OutcomeUnknown, match="link cut"):
        desk.queue.claim(who())


def test_what_was_won_beside_an_unknown_claim_is_kept(desk: Desk) -> None:
    desk.add("a")
    desk.add("b")
    desk.store.instead = lambda transactions: [
        *desk.memory.commit(transactions[:1]),
        Unknown("link cut"),
    ]
    won = desk.queue.claim([who("bob"), who("eve")])
    assert len({claimed.task.id for claimed in won}) == len(won) >= 1


def test_a_host_that_refuses_is_reported(desk: Desk) -> None:
    desk.add("a")
    desk.store.instead = lambda transactions: [Rejected("hook declined", "refs/baton/x")]
    with pytest.raises(HostRefused, match="hook declined"):
        desk.queue.claim(who())


def test_a_claim_is_withdrawn_when_its_need_was_taken_back_meanwhile(desk: Desk) -> None:
    desk.add("a")
    desk.add("b", needs=["a"])
    desk.queue.done(take(desk, "a").token)
    desk.store.after_commit = lambda: desk.other.retry("a", force=True, actor=ANN)
    error = refusal(desk, "b")
    assert (error.code, "it needs a" in error.message) == ("waiting", True)
    task = desk.queue.get("b")
    assert (task.status, task.epoch, task.attempts) == ("pending", 1, 0)
    assert "withdrawn: it needs a" in desk.queue.log("b")[0].subject


def test_a_claim_is_withdrawn_when_its_approval_was_revoked_meanwhile(desk: Desk) -> None:
    desk.add("a", gate="g")
    desk.queue.approve("a", actor=ANN)
    desk.store.after_commit = lambda: desk.other.revoke("a", actor=ANN)
    assert refusal(desk, "a").code == "waiting"
    assert desk.queue.get("a").status == "pending"


def test_a_claim_cancelled_at_once_is_not_handed_out(desk: Desk) -> None:
    desk.add("n")
    desk.queue.done(take(desk, "n").token)
    desk.add("a", needs=["n"])
    desk.store.after_commit = lambda: desk.other.cancel("a", None, actor=ANN)
    assert refusal(desk, "a").code == "waiting"


# --- paths


def test_overlapping_paths_are_never_in_progress_together(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    desk.add("b", paths=["src/x.py"])
    desk.add("c", paths=["docs/**"])
    won = desk.queue.claim(who(), count=3)
    assert {claimed.task.id for claimed in won} in ({"a", "c"}, {"b", "c"})
    assert sorted(id for id, _ in reservations(desk)) == sorted(w.task.id for w in won)


def test_racing_claims_of_overlapping_paths_have_one_winner(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    desk.add("b", paths=["src/x.py"])
    desk.store.before_commit = lambda: desk.other.claim(who("eve"), ids=["b"])
    error = refusal(desk, "a")
    assert (error.code, "b is in progress and may touch" in error.message) == ("waiting", True)
    assert desk.queue.get("a").epoch == 0


def test_a_claim_just_after_the_look_is_noticed(desk: Desk) -> None:
    """I1: reservations and tasks are of one snapshot, so the rewrite names what was replaced."""
    desk.store.forgetful = True
    desk.add("a", paths=["src/**"])
    desk.add("b", paths=["src/x.py"])
    desk.store.after_read = lambda: desk.other.claim(who("eve"), ids=["b"])
    assert refusal(desk, "a").code == "waiting"
    assert [desk.queue.get(id).epoch for id in ("a", "b")] == [0, 1]


def test_void_entries_are_dropped_when_the_record_is_rewritten(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    desk.queue.done(take(desk, "a").token)
    assert reservations(desk) == [("a", 1)]
    desk.add("b", paths=["src/**"])
    take(desk, "b")
    assert reservations(desk) == [("b", 1)]


def test_a_broken_reservation_record_is_written_anew(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    desk.add("b", paths=["docs/**"])
    take(desk, "a")
    desk.put(PATHS_KEY, {"entries": "nonsense"})
    take(desk, "b")
    assert reservations(desk) == [("a", 1), ("b", 1)]


def test_paths_cannot_be_edited_while_they_are_reserved(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    take(desk, "a")
    with pytest.raises(Refused, match="reserved"):
        desk.queue.edit("a", {"paths": ["docs/**"]}, actor=ANN)


# --- by the holder


def stale_token(desk: Desk) -> Token:
    """Return a token of a claim that was taken back; the task is held by eve now."""
    desk.add("a")
    won = take(desk, "a")
    desk.clock.advance(60)
    desk.queue.release(won.token)
    desk.other.claim(who("eve"))
    return won.token


@pytest.mark.parametrize("verb", ["done", "block", "release", "fail", "check", "renew"])
def test_a_stale_token_is_refused_with_who_holds_the_task_now(desk: Desk, verb: str) -> None:
    token = stale_token(desk)
    error: object
    if verb == "renew":
        error = desk.queue.renew([token])[token]
    else:
        words = ["why"] if verb in ("block", "fail") else []
        with pytest.raises(ClaimLost) as caught:
            getattr(desk.queue, verb)(token, *words)
        error = caught.value
    assert isinstance(error, ClaimLost)
    assert "held by eve (epoch 2) since 2026-01-01T00:01:00Z" in error.message
    held = desk.queue.get("a").claim
    assert held is not None
    assert held.agent == "eve"


def test_the_epoch_alone_proves_nothing(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    with pytest.raises(ClaimLost):
        desk.queue.check(Token(token.task, token.epoch, Nonce("0" * 32)))


def test_renewing_is_one_heartbeat_commit_with_an_answer_for_each(desk: Desk) -> None:
    for id in ("a", "b", "c"):
        desk.add(id)
    tokens = [take(desk, id).token for id in ("a", "b", "c")]
    desk.queue.cancel("c", None, actor=ANN)
    desk.clock.advance(30)
    desk.store.commits.clear()
    answers = desk.queue.renew(tokens)
    [changes] = desk.store.commits
    assert [change.heartbeat for change in changes] == [True, True]
    for token in tokens[:2]:
        renewed = answers[token]
        assert isinstance(renewed, Task)
        assert renewed.claim is not None
        assert renewed.claim.renewed_at == "2026-01-01T00:00:30Z"
    assert isinstance(answers[tokens[2]], ClaimLost)


def test_renewing_survives_an_edit_at_the_same_moment(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    desk.store.before_commit = lambda: desk.other.edit("a", {"priority": 0}, actor=ANN)
    answer = desk.queue.renew([token])[token]
    assert isinstance(answer, Task)
    assert answer.priority == 0


def test_a_renewal_of_unknown_outcome_says_so(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    desk.store.instead = lambda transactions: [Unknown("cut")]
    assert isinstance(desk.queue.renew([token])[token], OutcomeUnknown)


def test_done_publishes_and_finishes_in_one_transaction(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    desk.store.commits.clear()
    move = Move(Branch("task/a"), None, OID)
    task = desk.queue.done(token, branch="task/a", commit=OID, text="it\x1b[1m", moves=[move])
    assert len(desk.store.commits) == 1
    assert desk.branches.tips == {Branch("task/a"): OID}
    assert (task.status, task.claim, task.epoch) == ("done", None, 1)
    assert task.result is not None
    assert (task.result.branch, task.result.commit) == ("task/a", OID)
    assert "\x1b" not in (task.result.text or "")


def test_a_result_of_a_lost_claim_is_not_published(desk: Desk) -> None:
    """I2: the branch moves if and only if the claim is current."""
    token = stale_token(desk)
    with pytest.raises(ClaimLost):
        desk.queue.done(token, moves=[Move(Branch("task/a"), None, OID)])
    assert desk.branches.tips == {}


def test_a_claim_lost_at_the_last_moment_does_not_publish_either(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    desk.store.before_commit = lambda: desk.other.cancel("a", "stop", actor=ANN)
    with pytest.raises(ClaimLost, match="cancelled"):
        desk.queue.done(token, moves=[Move(Branch("task/a"), None, OID)])
    assert desk.branches.tips == {}


def test_a_branch_that_moved_is_reported_and_the_claim_is_still_good(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    desk.branches.tips[Branch("main")] = OTHER_OID
    with pytest.raises(LandingStale) as caught:
        desk.queue.done(token, commit=OID, moves=[Move(Branch("main"), None, OID)])
    assert caught.value.moved == {Branch("main"): OTHER_OID}
    task = desk.queue.done(token, commit=OID, moves=[Move(Branch("main"), OTHER_OID, OID)])
    assert task.status == "done"


def test_done_repeated_after_a_lost_answer_is_quiet(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    once = desk.queue.done(token, commit=OID)
    assert desk.queue.done(token, commit=OID) == once
    with pytest.raises(ClaimLost):
        desk.queue.done(token, commit=OTHER_OID)
    desk.queue.retry("a", force=False, actor=ANN)
    with pytest.raises(ClaimLost):
        desk.queue.done(token, commit=OID)


@pytest.mark.parametrize("verb", ["block", "release", "fail"])
def test_ending_a_claim_twice_the_same_way_is_quiet(desk: Desk, verb: str) -> None:
    desk.add("a")
    token = take(desk, "a").token
    end = getattr(desk.queue, verb)
    assert end(token, "why") == end(token, "why")
    with pytest.raises(ClaimLost):
        desk.queue.done(token)


def test_the_result_is_checked(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    with pytest.raises(InvalidInput, match=r"^branch"):
        desk.queue.done(token, branch="a..b")
    with pytest.raises(InvalidInput, match=r"^commit"):
        desk.queue.done(token, commit=Oid("HEAD"))


def test_the_gate_and_the_needs_are_checked_again_at_done(desk: Desk) -> None:
    desk.add("n")
    desk.queue.done(take(desk, "n").token)
    desk.add("a", gate="g", needs=["n"])
    desk.queue.approve("a", actor=ANN)
    token = take(desk, "a").token
    desk.queue.edit("a", {"body": "and more"}, actor=ANN)
    with pytest.raises(GateClosed, match="changed after it was approved"):
        desk.queue.done(token)
    desk.queue.approve("a", actor=ANN)
    desk.queue.retry("n", force=True, actor=ANN)
    with pytest.raises(GateClosed, match="needs n"):
        desk.queue.done(token)
    assert desk.queue.get("a").status == "in-progress"


def test_failing_waits_longer_each_time_and_ends_after_the_last_attempt() -> None:
    desk = Desk(backoff=10, backoff_limit=15)
    desk.add("a", max_attempts=3)
    task = desk.queue.fail(take(desk, "a").token, "red\nlog")
    assert (task.status, task.attempts, task.delay) == ("pending", 1, 10)
    assert task.not_before == "2026-01-01T00:00:10Z"
    assert task.reason == "red\nlog"
    assert (task.remarks[-1].kind, task.remarks[-1].text) == ("failed", "red\nlog")
    error = refusal(desk, "a")
    assert (error.code, "10s more" in error.message) == ("waiting", True)
    desk.clock.advance(10)
    task = desk.queue.fail(take(desk, "a").token, "red again")
    assert (task.attempts, task.delay) == (2, 15)
    refusal(desk, "a")
    desk.clock.advance(15)
    task = desk.queue.fail(take(desk, "a").token, "red for good")
    assert (task.status, task.attempts, task.delay) == ("failed", 3, 0)
    assert [e.event for e in desk.queue.log("a")[:2]] == ["fail", "claim"]


def test_reasons_and_remarks_are_bounded(desk: Desk) -> None:
    desk.add("a", max_attempts=1000)
    for number in range(20):
        desk.queue.block(take(desk, "a").token, f"{number}" + "x" * 50_000 + "the end")
        task = desk.queue.unblock("a", "go on", actor=ANN)
    assert len(task.remarks) == 12
    assert max(len(remark.text) for remark in task.remarks) <= 4000
    assert task.remarks[-2].text.endswith("the end")
    won = take(desk, "a")
    for verb in (desk.queue.block, desk.queue.fail):
        with pytest.raises(InvalidInput, match="reason"):
            verb(won.token, " \n")


# --- by people


def test_edit(desk: Desk) -> None:
    desk.add("a")
    desk.add("b", needs=["a"])
    assert desk.queue.edit("a", {"title": "new", "timeout": 5}, actor=ANN).timeout == 5.0
    with pytest.raises(InvalidInput, match="a -> b -> a"):
        desk.queue.edit("a", {"needs": ["b"]}, actor=ANN)
    with pytest.raises(InvalidInput, match="status"):
        desk.queue.edit("a", {"status": "done"}, actor=ANN)
    with pytest.raises(UnknownTask):
        desk.queue.edit("nope", {"title": "x"}, actor=ANN)
    before = desk.queue.log("a")
    desk.queue.edit("a", {"title": "new"}, actor=ANN)
    assert desk.queue.log("a") == before


def test_who_may_not_open_a_gate_may_not_remove_it() -> None:
    desk = Desk(gatekeeper=GateKeeper(project=PROJECT, approvers={"g": ["ann"]}))
    desk.add("a", gate="g")
    with pytest.raises(GateClosed):
        desk.queue.edit("a", {"gate": None}, actor=Actor("eve"))
    assert desk.queue.edit("a", {"gate": None}, actor=ANN).gate is None


def test_retry_of_a_need_that_is_built_on_is_refused_unless_forced(desk: Desk) -> None:
    desk.add("n")
    desk.add("a", needs=["n"])
    desk.queue.done(take(desk, "n").token, commit=OID)
    take(desk, "a")
    with pytest.raises(Refused, match="a in progress and built on 'n'"):
        desk.queue.retry("n", force=False, actor=ANN)
    task = desk.queue.retry("n", force=True, actor=ANN)
    assert (task.status, task.attempts, task.epoch, task.result) == ("pending", 0, 1, None)


def test_a_question_and_its_answer(desk: Desk) -> None:
    desk.add("a")
    task = desk.queue.block(take(desk, "a").token, "which port?")
    assert (task.status, task.reason, task.claim, task.epoch) == (
        "blocked",
        "which port?",
        None,
        1,
    )
    with pytest.raises(WrongStatus) as caught:
        desk.queue.accept("a", actor=ANN)
    assert caught.value.next == "baton unblock a"
    task = desk.queue.unblock("a", "8080", actor=ANN)
    assert [(r.kind, r.text, r.by) for r in task.remarks] == [
        ("question", "which port?", "bob"),
        ("answer", "8080", "ann"),
    ]
    assert take(desk, "a").token.epoch == 2


def test_review_accept_and_reject(desk: Desk) -> None:
    desk.add("a")
    desk.add("b", needs=["a"])
    task = desk.queue.done(take(desk, "a").token, branch="task/a", commit=OID, review=True)
    assert task.status == "review"
    assert [t.id for t in desk.queue.ready(desk.queue.view())] == ["b"]
    task = desk.queue.reject("a", "not yet", actor=ANN)
    assert (task.status, task.remarks[-1].kind, task.reason) == ("pending", "rejected", "not yet")
    desk.queue.done(take(desk, "a").token, branch="task/a", commit=OID, review=True)
    assert desk.queue.accept("a", actor=ANN).status == "done"
    assert desk.queue.log("a")[1].event == "review"


def test_cancel_takes_the_claim_away(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    assert desk.queue.cancel("a", "not needed", actor=ANN).status == "cancelled"
    with pytest.raises(ClaimLost, match="cancelled"):
        desk.queue.check(token)
    with pytest.raises(WrongStatus):
        desk.queue.cancel("a", None, actor=ANN)


def test_approving_opens_the_gate_for_those_who_may() -> None:
    desk = Desk(gatekeeper=GateKeeper(project=PROJECT, approvers={"g": ["ann"]}))
    desk.add("a", gate="g")
    desk.add("plain")
    assert refusal(desk, "a").code == "waiting"
    with pytest.raises(GateClosed, match="'eve' is not among"):
        desk.queue.approve("a", actor=Actor("eve"))
    with pytest.raises(Refused, match="no gate"):
        desk.queue.approve("plain", actor=ANN)
    desk.queue.approve("a", actor=ANN)
    assert [t.id for t in desk.queue.ready(desk.queue.view())] == ["a", "plain"]
    desk.queue.revoke("a", actor=ANN)
    with pytest.raises(Refused, match="not approved"):
        desk.queue.revoke("a", actor=ANN)
    assert refusal(desk, "a").code == "waiting"


def test_where_there_are_signers_the_approval_is_signed_and_checked_at_once() -> None:
    keeper = GateKeeper(
        project=PROJECT,
        allowed_signers="ann ssh-ed25519 AAAA",
        verify=lambda payload, signature, signer: signature == f"{signer} signed {len(payload)}",
    )
    desk = Desk(gatekeeper=keeper)
    desk.add("a", gate="g")
    with pytest.raises(GateClosed, match="name your signing key"):
        desk.queue.approve("a", actor=ANN)
    with pytest.raises(GateClosed, match="not one of 'ann'"):
        desk.queue.approve("a", actor=ANN, sign=lambda payload: "forged")
    desk.queue.approve("a", actor=ANN, sign=lambda payload: f"ann signed {len(payload)}")
    assert take(desk, "a").token.epoch == 1


def test_an_approval_in_review_is_for_that_commit(desk: Desk) -> None:
    desk.add("a", gate="g")
    desk.queue.approve("a", actor=ANN)
    desk.queue.done(take(desk, "a").token, branch="task/a", commit=OID, review=True)
    desk.queue.revoke("a", actor=ANN)
    with pytest.raises(GateClosed):
        desk.queue.accept("a", actor=ANN)
    assert desk.queue.approve("a", actor=ANN).approval is not None
    assert desk.queue.accept("a", actor=ANN).status == "done"


def test_an_approval_that_was_revoked_opens_nothing_when_it_is_put_back(desk: Desk) -> None:
    """I9: by a client that writes the record itself."""
    desk.add("a", gate="g")
    taken_back = desk.queue.approve("a", actor=ANN).approval
    revoked = desk.queue.revoke("a", actor=ANN)
    desk.put(revoked.key, encode_task(msgspec.structs.replace(revoked, approval=taken_back)))
    assert "changed after it was approved" in refusal(desk, "a").message
    desk.queue.approve("a", actor=ANN)
    assert take(desk, "a").token.epoch == 1


def test_what_must_exist_in_the_end_is_approved_too(desk: Desk) -> None:
    """I9: it is in the prompt."""
    desk.add("a", gate="g")
    desk.queue.approve("a", actor=ANN)
    desk.queue.edit("a", {"deliverable": "a backdoor"}, actor=Actor("mallory"))
    assert refusal(desk, "a").code == "waiting"


def test_the_gatekeeper_can_be_replaced(desk: Desk) -> None:
    desk.add("a", gate="g")
    desk.queue.approve("a", actor=ANN)
    desk.queue.gatekeeper = GateKeeper(project=PROJECT, unreadable="gone")
    assert desk.queue.ready(desk.queue.view()) == []


# --- the rules as they are now


def shut() -> GateKeeper:
    return GateKeeper(project=PROJECT, approvers={"g": ["eve"]})


def away() -> GateKeeper:
    raise RemoteUnreachable("the remote is away")


def approved(desk: Desk, id: str = "a") -> None:
    desk.add(id, gate="g")
    desk.queue.approve(id, actor=ANN)


LANDING = Landing(branch="task/a", old=None, commit=OID)


def test_no_gated_task_lands_by_rules_of_yesterday(desk: Desk) -> None:
    """I9: the approver was taken off the list while the worker was at work."""
    approved(desk)
    token = take(desk, "a").token
    desk.rules = shut
    with pytest.raises(GateClosed, match="not among the approvers"):
        desk.queue.announce(token, LANDING)
    with pytest.raises(GateClosed, match="not among the approvers"):
        desk.queue.done(token)
    assert desk.queue.get("a").status == "in-progress"
    assert desk.queue.gatekeeper == shut()


def test_a_gated_task_lands_later_when_the_rules_cannot_be_asked_for(desk: Desk) -> None:
    approved(desk)
    token = take(desk, "a").token
    desk.rules = away
    with pytest.raises(RemoteUnreachable):
        desk.queue.done(token)
    desk.rules = None
    assert desk.queue.done(token).status == "done"


def test_no_gated_task_is_claimed_by_rules_of_yesterday(desk: Desk) -> None:
    approved(desk)
    desk.add("plain", priority=9)
    desk.rules = shut
    [won] = desk.queue.claim(who(), count=2)
    assert won.task.id == "plain"
    assert "not among the approvers" in refusal(desk, "a").message
    assert desk.queue.get("a").epoch == 0


def test_a_gated_task_is_not_claimed_when_the_rules_cannot_be_asked_for(desk: Desk) -> None:
    approved(desk)
    desk.rules = away
    with pytest.raises(RemoteUnreachable):
        desk.queue.claim(who(), ids=["a"])
    assert desk.queue.get("a").epoch == 0


def test_people_decide_by_the_rules_of_today(desk: Desk) -> None:
    approved(desk)
    desk.queue.done(take(desk, "a").token, branch="task/a", commit=OID, review=True)
    desk.rules = shut
    with pytest.raises(GateClosed):
        desk.queue.accept("a", actor=ANN)
    with pytest.raises(GateClosed):
        desk.queue.approve("a", actor=ANN)
    with pytest.raises(GateClosed):
        desk.queue.edit("a", {"gate": None}, actor=ANN)


def test_the_rules_are_asked_for_once_in_an_operation_and_only_at_a_gate(desk: Desk) -> None:
    desk.add("plain")
    desk.queue.done(take(desk, "plain").token)
    assert desk.asked == 0
    approved(desk)
    desk.asked = 0
    token = take(desk, "a").token
    assert desk.asked == 1
    desk.store.before_commit = lambda: desk.other.edit("a", {"priority": 0}, actor=ANN)
    desk.queue.done(token)
    assert desk.asked == 2


# --- reaping


def test_an_unrenewed_claim_is_taken_back_when_it_was_watched_for_its_lease(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a", lease=90).token
    for _ in range(3):
        assert desk.queue.reap() == []
        desk.clock.advance(30)
    assert [r.before.id for r in desk.queue.reap(dry_run=True)] == ["a"]
    assert desk.queue.check(token)
    [reaped] = desk.queue.reap()
    assert reaped.reason == "lease of bob ran out"
    assert (reaped.after.status, reaped.after.attempts) == ("pending", 1)
    assert desk.queue.get("a") == reaped.after
    assert desk.queue.log("a")[0].subject == "reset: a lease of bob ran out"
    assert reaped.after.remarks[-1].kind == "reset"
    with pytest.raises(ClaimLost, match="reset"):
        desk.queue.done(token)


def test_an_outage_reaps_nobody(desk: Desk) -> None:
    desk.add("a")
    take(desk, "a", lease=90)
    desk.queue.view()
    desk.clock.advance(100_000)
    assert desk.queue.reap() == []


def test_a_renewed_claim_is_never_taken(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a", lease=90).token
    for _ in range(20):
        desk.clock.advance(30)
        desk.queue.renew([token])
        assert desk.other.reap() == []


def test_a_claim_renewed_at_the_last_moment_is_not_taken(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a", lease=90).token
    for _ in range(4):
        desk.queue.view()
        desk.clock.advance(30)
    desk.store.before_commit = lambda: desk.other.renew([token])
    assert desk.queue.reap() == []
    assert desk.queue.check(token)


def test_a_claim_over_its_timeout_is_taken_although_it_is_renewed(desk: Desk) -> None:
    desk.add("a", timeout=60, max_attempts=1)
    token = take(desk, "a", lease=90).token
    reaped = []
    for _ in range(4):
        reaped += desk.other.reap()
        desk.clock.advance(29)
        desk.queue.renew([token])
    reaped += desk.other.reap()
    assert [r.reason for r in reaped] == ["timed out after 1min"]
    assert desk.queue.get("a").status == "failed"
    assert desk.queue.log("a")[0].subject == "reset: a timed out after 1min"


def test_review_and_blocked_are_never_reaped(desk: Desk) -> None:
    desk.add("a")
    desk.add("b")
    desk.queue.block(take(desk, "a").token, "why?")
    desk.queue.done(take(desk, "b").token, review=True)
    for _ in range(20):
        desk.clock.advance(400)
        assert desk.queue.reap() == []


def test_reaping_reports_a_host_that_refuses(desk: Desk) -> None:
    desk.add("a")
    take(desk, "a", lease=1)
    for _ in range(5):
        desk.queue.view()
        desk.clock.advance(1)
    desk.store.instead = lambda transactions: [Rejected("no")]
    with pytest.raises(HostRefused):
        desk.queue.reap()


# --- reading


def test_one_bad_record_stops_nobody(desk: Desk) -> None:
    desk.add("a")
    desk.put(Key("tasks/bad"), {"format": 1, "title": 7})
    view = desk.queue.view()
    assert set(view.tasks) == {"a"}
    assert "title" in view.damaged[Key("tasks/bad")]
    assert take(desk, "a").token.epoch == 1
    with pytest.raises(DamagedRecord, match="title"):
        desk.queue.get("bad")
    with pytest.raises(DamagedRecord):
        desk.queue.cancel("bad", None, actor=ANN)
    with pytest.raises(TaskExists):
        desk.add("bad")


def test_a_record_under_a_name_that_is_no_id_is_damaged(desk: Desk) -> None:
    desk.put(Key("tasks/../../x"), {"format": 1})
    assert list(desk.queue.view().damaged) == ["tasks/../../x"]


def test_a_task_that_needs_a_damaged_one_waits_and_says_so(desk: Desk) -> None:
    desk.add("n")
    desk.add("a", needs=["n"])
    desk.put(Key("tasks/n"), {"format": 1})
    view = desk.queue.view()
    assert desk.queue.ready(view) == []
    [obstacle] = desk.queue.why(view, "a")
    assert "n, which cannot be read" in obstacle.text


def test_a_repaired_record_is_read_again(desk: Desk) -> None:
    from gitbaton.tasks.model import encode_task

    good = encode_task(desk.add("a"))
    desk.put(Key("tasks/a"), {"format": 1})
    assert desk.queue.view().tasks == {}
    desk.put(Key("tasks/a"), good)
    assert set(desk.queue.view().tasks) == {"a"}


def test_the_log_has_every_transition_and_no_heartbeat(desk: Desk) -> None:
    desk.add("a", paths=["src/**"])
    desk.add("b")
    won = take(desk, "a")
    for _ in range(5):
        desk.queue.renew([won.token])
    desk.queue.done(won.token, text="all\ngood")
    assert [(e.event, e.epoch, e.actor) for e in desk.queue.log("a")] == [
        ("done", 1, "bob"),
        ("claim", 1, "bob"),
        ("add", 0, "ann"),
    ]
    assert [e.subject for e in desk.queue.log()] == [
        "done: a by bob: all",
        "claim: a by bob",
        "add: b do b",
        "add: a do a",
    ]
    assert [e.event for e in desk.queue.log(limit=3)] == ["done", "claim", "add"]
    with pytest.raises(InvalidInput):
        desk.queue.log("../x")


def test_rescue_refs_travel_with_the_record(desk: Desk) -> None:
    desk.add("a")
    token = take(desk, "a").token
    saved = Move(Rescue("a", 1, OTHER_OID), None, OTHER_OID)
    desk.branches.tips[Branch("task/a")] = OTHER_OID
    moves = [Move(Branch("task/a"), OTHER_OID, OID), saved]
    desk.queue.done(token, branch="task/a", commit=OID, moves=moves)
    assert desk.branches.tips[saved.target] == OTHER_OID


def test_what_a_result_must_fulfil_is_asked_of_the_version_that_it_replaces(desk: Desk) -> None:
    """I9: the deliverable was changed between the look and the commit."""
    desk.add("a")
    token = take(desk, "a").token
    desk.store.before_commit = lambda: desk.other.edit("a", {"deliverable": "b"}, actor=ANN)

    def require(task: Task) -> None:
        if task.deliverable == "b":
            raise Refused("not delivered")

    with pytest.raises(Refused, match="not delivered"):
        desk.queue.done(token, require=require)
    assert desk.queue.get("a").status == "in-progress"
