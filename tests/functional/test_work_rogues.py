"""One worker, and agents that do everything they should not: clear outcomes, nothing lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.functional.working import Event, Place, Worker, add, kept_worktrees, prompts, tasks, work
from tests.integration.work.clone_state import unchanged
from tests.servers.site import Site

ONCE = {"max_attempts": 1}
DRAFTS = (
    {"id": "stubborn", "priority": 0, "timeout": 1, **ONCE},  # takes 10 s more, so it is first
    {"id": "commits"},
    {"id": "uncommitted"},
    {"id": "nothing"},
    {"id": "fails", "max_attempts": 2},
    {"id": "red-check", "checks": ["test -e never.txt"], **ONCE},
    {"id": "asks", **ONCE},
    {"id": "daemon"},
    {"id": "noisy"},
    {"id": "deletes", **ONCE},
    {"id": "deletes-after-commit"},
    {"id": "elsewhere"},
    {"id": "rewrites", **ONCE},
    {"id": "conflict", **ONCE},
    {"id": "stash", **ONCE},
    {"id": "nested"},
    {"id": "secret"},
    {"id": "block"},
    {"id": "ends-itself"},
    {"id": "releases"},
)


@dataclass
class Fleet:
    """What became of a whole run."""

    place: Place
    clone: Baton
    worker: Worker
    status: int
    tasks: dict[str, Event]

    def landed(self, task: str) -> set[str]:
        """The files that the result of a finished task added."""
        result = self.tasks[task]["result"]
        assert result["branch"] == f"task/{task}"
        assert self.place.branch(result["branch"]) == result["commit"]
        return self.place.files(result["commit"]) - {"readme", ".gitignore"}

    def rescued(self, task: str) -> set[str]:
        """The files in the only rescue of a task."""
        [commit] = self.place.rescues(task)
        return self.place.files(commit)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, file_remotes: Site) -> Fleet:
    place = Place(tmp_path_factory.mktemp("rogues"), file_remotes.fresh())
    clone = place.clone("a clone's path")
    (clone.directory / "readme").write_text("being edited\n")
    add(clone, *DRAFTS)
    with unchanged(clone.directory):
        status, worker = work(clone, "--jobs", "4", "--drain", "--name", "w")
        return Fleet(place, clone, worker, status, tasks(clone))


@pytest.mark.parametrize(
    ("task", "files"),
    [
        ("commits", {"one.txt", "two.txt"}),
        ("uncommitted", {"uncommitted.txt"}),
        ("asks", {"asks.txt"}),
        ("noisy", {"noisy.txt"}),
        ("deletes-after-commit", {"deletes-after-commit.txt"}),
        ("elsewhere", {"elsewhere.txt"}),
        ("nested", {"nested.txt"}),
        ("secret", {"secret.txt"}),
        ("releases", {"releases.txt"}),
    ],
)
def test_what_was_done_is_landed(fleet: Fleet, task: str, files: set[str]) -> None:
    assert fleet.tasks[task]["status"] == "done"
    assert fleet.landed(task) == files


def test_commits_are_signed_by_whoever_made_them(fleet: Fleet) -> None:
    commit = fleet.tasks["uncommitted"]["result"]["commit"]
    author, trailers = fleet.place.remote.git(
        "log", "-1", "--format=%an%x00%(trailers:only,unfold)", commit
    ).split("\0")
    assert author.startswith("w#")
    assert trailers.split("\n")[:2] == ["Baton-Task: uncommitted", "Baton-Epoch: 1"]


def test_a_task_may_need_no_change(fleet: Fleet) -> None:
    task = fleet.tasks["nothing"]
    assert (task["status"], task["result"]["commit"]) == ("done", None)
    assert fleet.place.branch("task/nothing") is None


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("red-check", "check failed: `test -e never.txt`: exit status 1"),
        ("stubborn", "the agent failed: timed out after"),
        ("deletes", "the agent removed its worktree and committed nothing"),
        ("rewrites", "the agent rewrote commits that were there before it"),
        ("conflict", "the agent left an unfinished merge in its worktree"),
        ("stash", "the agent left its work where no result is looked for: stash"),
    ],
)
def test_what_cannot_land_fails_with_the_reason(fleet: Fleet, task: str, reason: str) -> None:
    """I2: nothing of it is on a branch."""
    assert fleet.tasks[task]["status"] == "failed"
    assert fleet.tasks[task]["reason"].startswith(reason)
    assert fleet.place.branch(f"task/{task}") is None


@pytest.mark.parametrize(
    ("task", "file"),
    [
        ("red-check", "red-check.txt"),
        ("stubborn", "stubborn.txt"),
        ("rewrites", "rewrites.txt"),
        ("stash", "stash.txt"),
        ("conflict", "readme"),
    ],
)
def test_the_work_of_a_failed_attempt_is_rescued(fleet: Fleet, task: str, file: str) -> None:
    """I3: what did not land is on a rescue ref of the remote."""
    assert file in fleet.rescued(task)
    assert fleet.worker.kinds(task) == ["claimed", "failed", "rescued"]


def test_a_failed_attempt_is_told_to_the_next(fleet: Fleet) -> None:
    task = fleet.tasks["fails"]
    assert (task["status"], task["attempts"]) == ("failed", 2)
    assert task["reason"] == "the agent failed: exit status 3\nthe parser is broken"
    assert fleet.worker.kinds("fails") == ["claimed", "failed", "rescued"] * 2
    assert len(fleet.place.rescues("fails")) == 2
    words = [event["event"] for event in fleet.clone.ok("log", "fails")["events"]]
    assert words == ["fail", "claim", "fail", "claim", "add"]


def test_a_daemon_does_not_outlive_its_agent(fleet: Fleet) -> None:
    """What it wrote until then is part of the result; nothing edits the worktree afterwards."""
    assert fleet.landed("daemon") == {"daemon.txt"}
    assert fleet.worker.kinds("daemon") == ["claimed", "landed"], "nothing was left to rescue"
    assert "daemon-e1" not in kept_worktrees(fleet.clone)


def test_a_flood_of_output_is_capped(fleet: Fleet) -> None:
    [working] = [e for e in fleet.worker.of("working", "noisy") if e["log"]]
    log = Path(working["log"])
    assert log.stat().st_size < 11_000_000
    assert log.read_bytes().endswith(b"the last words\n")


def test_what_a_commit_cannot_carry_is_kept_and_listed(fleet: Fleet) -> None:
    assert kept_worktrees(fleet.clone) == {"nested-e1", "secret-e1"}
    [secret] = fleet.worker.of("kept", "secret")
    assert secret["text"].endswith("secret-e1 is kept: ignored files: .env")
    [nested] = fleet.worker.of("kept", "nested")
    assert nested["text"].endswith("nested-e1 is kept: repositories inside: inner/")


ENDS = ("claimed", "claimed", "landed")


def test_an_agent_may_end_its_claim_itself(fleet: Fleet) -> None:
    itself = fleet.tasks["ends-itself"]
    assert (itself["status"], itself["result"]["text"]) == ("done", "nothing to change")
    assert fleet.worker.kinds("ends-itself") == ["claimed", "landed"]
    told = fleet.worker.kinds("releases")
    # Another slot may have it before the first one sees that it was given back.
    assert sorted(told) in (sorted([*ENDS, "released"]), sorted([*ENDS, "lost"]))
    assert (told[0], told[-1]) == ("claimed", "landed")
    assert fleet.tasks["releases"]["attempts"] == 0


def test_the_worker_says_how_it_went(fleet: Fleet) -> None:
    assert fleet.status == 1, "some failed for good"
    keys = {"event", "at", "text", "slot", "task", "epoch", "commit", "branch", "log"}
    assert all(set(event) == keys for event in fleet.worker.events)
    assert fleet.worker.events[0]["event"] == "started"
    assert fleet.worker.events[-1]["event"] == "ended"
    assert prompts(fleet.clone) == set()


def test_the_board_shows_how_things_ended(fleet: Fleet) -> None:
    board = json.loads(fleet.place.show("baton", "tasks.json"))["tasks"]
    shown = {task["id"]: task["status"] for task in board}
    assert shown["block"] == "blocked"
    assert "in-progress" not in shown.values()
    assert "| 0 | 0 | 0 | 1 | 12 | 7 | 0 |" in fleet.place.show("baton", "README.md")


def test_a_question_is_answered_and_the_answer_is_in_the_prompt(fleet: Fleet) -> None:
    """Last of this module: it goes on where the others only look."""
    task = fleet.tasks["block"]
    assert (task["status"], task["reason"]) == ("blocked", "Which database?")
    assert fleet.worker.kinds("block") == ["claimed", "blocked"]
    fleet.clone.ok("unblock", "block", "--answer", "The green one.")
    status, worker = work(fleet.clone, "--once", "--name", "w")
    assert (status, worker.kinds("block")) == (0, ["claimed", "landed"])
    prompt = fleet.place.show("task/block", "prompt.txt")
    assert prompt.index("Which database?") < prompt.index("The green one.")
