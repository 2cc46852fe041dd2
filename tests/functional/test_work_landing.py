"""How results land: published in the push that ends the claim, or not at all (I2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.functional.working import GATED, Place, add, kept_worktrees, script, tasks, work, working
from tests.servers.site import BareRepository


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


@pytest.fixture
def clone(place: Place) -> Baton:
    return place.clone("clone")


def push(place: Place, name: str, path: str, text: str) -> str:
    """Push a change of one file to main from another clone."""
    other = place.clone(name)
    commit = other.commit("main", path, text)
    other.git("push", "-q", "origin", "main")
    return commit


def test_a_review_is_accepted_rejected_or_merged(place: Place, clone: Baton) -> None:
    add(clone, *({"id": id} for id in ("taken", "sent-back", "merged")))
    agent = script(
        place.area,
        'cp "$BATON_PROMPT_FILE" prompt-$BATON_TASK.txt; date +%N >$BATON_TASK.$BATON_EPOCH',
    )
    status, worker = work(clone, "--jobs", "3", "--drain", "--review", agent=agent)
    assert status == 0
    assert {worker.kinds(id)[-1] for id in ("taken", "sent-back", "merged")} == {"review"}
    found = tasks(clone)
    for id, task in found.items():
        assert (task["status"], task["result"]["branch"]) == ("review", f"task/{id}")
        assert place.branch(f"task/{id}") == task["result"]["commit"]

    clone.ok("accept", "taken")
    first = place.branch("task/sent-back")
    clone.ok("reject", "sent-back", "--reason", "Use tabs, please.")
    place.remote.git("update-ref", "refs/heads/main", found["merged"]["result"]["commit"])
    status, worker = work(clone, "--drain", agent=agent)
    assert (status, worker.kinds("sent-back")) == (0, ["claimed", "landed"])
    assert {task["status"] for task in tasks(clone).values()} == {"done"}
    settled = [event["text"] for event in worker.of("notice")]
    assert settled == ["merged: main contains its commit, so it is done"]
    prompt = place.show("task/sent-back", "prompt-sent-back.txt")
    assert "rejected an earlier result" in prompt
    assert "Use tabs, please." in prompt
    # What the branch held before was saved in the push that replaced it (I3).
    assert place.rescues("sent-back", 2) == [first]


def test_a_merge_is_made_anew_on_a_target_that_moved(place: Place, clone: Baton) -> None:
    """Rebased, attributed, and checked again on what is published (after the set-up)."""
    checked = place.area / "checked"
    check = script(place.area, f'test -e prepared; echo * >>"{checked}"', name="check.sh")
    add(clone, {"id": "gated", "checks": [check]})
    with working(
        clone, "--drain", "--land", "merge", "--setup", "sh -c 'touch prepared'"
    ) as worker:
        place.arrived("gated")
        theirs = push(place, "other", "theirs.txt", "theirs\n")
        place.let_go("gated")
        assert worker.end() == 0
    tip = place.branch("main")
    assert tip is not None
    assert worker.of("landed")[0]["commit"] == tip
    result = tasks(clone)["gated"]["result"]
    assert (result["branch"], result["commit"]) == ("main", tip)
    assert place.remote.git("rev-parse", f"{tip}^") == theirs
    trailers = place.remote.git("log", "-1", "--format=%(trailers:only,unfold)", tip)
    assert trailers.split("\n")[:2] == ["Baton-Task: gated", "Baton-Epoch: 1"]
    assert {"theirs.txt", "gated.txt"} <= place.files(tip)
    before, after = checked.read_text().splitlines()
    assert ("theirs.txt" in before, "theirs.txt" in after) == (False, True)
    assert place.branch("task/gated") is None
    assert worker.kinds("gated") == ["claimed", "landed"], "nothing was left to rescue"


def test_a_conflict_fails_the_attempt_and_the_next_one_knows(place: Place, clone: Baton) -> None:
    add(clone, {"id": "t1"})
    agent = script(
        place.area,
        """
        cp "$BATON_PROMPT_FILE" prompt.txt
        echo "by epoch $BATON_EPOCH" >readme
        touch "$GATE/t1.$BATON_EPOCH.up"
        until [ -e "$GATE/t1.$BATON_EPOCH.go" ]; do sleep 0.05; done""",
    )
    with working(clone, "--drain", "--land", "merge", agent=agent) as worker:
        place.arrived("t1")
        push(place, "other", "readme", "theirs\n")
        place.let_go("t1")
        place.arrived("t1", 2)
        place.let_go("t1", 2)
        assert worker.end() == 0
    assert worker.kinds("t1") == ["claimed", "failed", "rescued", "claimed", "landed"]
    assert "does not fit onto the target: conflicts in readme" in worker.of("failed")[0]["text"]
    assert place.show("main", "readme") == "by epoch 2"
    assert "does not fit onto the target: conflicts in readme" in place.show("main", "prompt.txt")
    [rescued] = place.rescues("t1", 1)
    assert place.show(rescued, "readme") == "by epoch 1"


def test_a_task_starts_from_the_branches_of_its_needs(place: Place, clone: Baton) -> None:
    add(clone, {"id": "uncommitted"}, {"id": "commits"})
    add(clone, {"id": "needy", "needs": ["uncommitted", "commits"]})
    status, _ = work(clone, "--drain", "--jobs", "2")
    assert status == 0
    seen = place.show("task/needy", "seen.txt").split("\n")
    assert {"one.txt", "two.txt", "uncommitted.txt"} <= set(seen)


def test_needs_that_do_not_fit_together_are_said_to_the_agent_s_owner(
    place: Place, clone: Baton
) -> None:
    add(clone, {"id": "n1"}, {"id": "n2"})
    add(clone, {"id": "both", "needs": ["n1", "n2"], "max_attempts": 1})
    agent = script(place.area, 'echo "$BATON_TASK" >readme')
    status, worker = work(clone, "--drain", agent=agent)
    assert status == 1
    assert worker.kinds("both") == ["claimed", "failed"]
    reason = tasks(clone)["both"]["reason"]
    assert "does not merge with the target: conflicts in readme" in reason


def test_what_is_revoked_or_undone_meanwhile_cannot_land(place: Place, clone: Baton) -> None:
    """A closed gate needs a person; a need that is done again only needs time."""
    add(clone, {"id": "prod", "gate": "prod"}, {"id": "need"})
    add(clone, {"id": "after", "needs": ["need"]})
    clone.ok("approve", "prod")
    place.let_go("need")
    with working(clone, "--drain", "--jobs", "2", agent=GATED) as worker:
        place.arrived("prod")
        place.arrived("after")
        clone.ok("approve", "prod", "--revoke")
        clone.ok("retry", "need", "--force")
        clone.ok("cancel", "need")  # while both slots are busy: nobody takes it
        place.let_go("prod")
        place.let_go("after")
        assert worker.end() == 0
    found = tasks(clone)
    assert found["prod"]["status"] == "blocked"
    assert "it could not land: task 'prod' cannot land" in found["prod"]["reason"]
    assert found["after"]["status"] == "pending"
    assert found["after"]["attempts"] == 0
    assert "it needs need" in found["after"]["reason"]
    for id in ("prod", "after"):
        assert place.branch(f"task/{id}") is None
        [rescued] = place.rescues(id)
        assert f"{id}.txt" in place.files(rescued)
    assert kept_worktrees(clone) == set()

    # Answered by opening the gate again, both go on.
    clone.ok("approve", "prod")
    clone.ok("unblock", "prod")
    clone.ok("retry", "need")
    for id in found:
        place.let_go(id, 2)
    assert work(clone, "--drain", "--jobs", "2", agent=GATED)[0] == 0
    assert {task["status"] for task in tasks(clone).values()} == {"done"}


def test_a_branch_that_the_host_protects_blocks_the_task(place: Place, clone: Baton) -> None:
    place.remote.hook(
        "update", 'case $1 in refs/heads/task/*) echo "not on Fridays" >&2; exit 1;; esac'
    )
    add(clone, {"id": "uncommitted"})
    status, worker = work(clone, "--drain")
    assert (status, worker.kinds("uncommitted")) == (0, ["claimed", "blocked", "rescued"])
    assert "not on Fridays" in tasks(clone)["uncommitted"]["reason"]
    assert place.branch("task/uncommitted") is None
