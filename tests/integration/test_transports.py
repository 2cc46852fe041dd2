"""The main job in small, over each transport and on hosts that are less than perfect."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.functional.baton import Answer, Baton
from tests.functional.working import wait_until
from tests.integration.chaos.fleet import CONFIG, Fleet, make_fleet
from tests.integration.chaos.storm import AGENT
from tests.integration.chaos.verdict import assert_sound, assert_spoken, read_reports
from tests.servers.site import Site

TASKS: list[dict[str, object]] = [
    {"id": "one", "title": "First", "priority": 1},
    {"id": "two", "title": "Second", "paths": ["two*"]},
    {"id": "three", "title": "Third", "needs": ["one"]},
]


def agent(fleet: Fleet) -> str:
    """Return the command of the scripted agent, which writes its commits down."""
    return f"{sys.executable} -I -S {AGENT} {fleet.root / 'reports'} 0.1"


def work(fleet: Fleet, clone: Baton, *words: str) -> Answer:
    """Run a worker until nothing is left to do."""
    return clone("work", "--drain", "--agent", agent(fleet), "--land", "merge", "--json", *words)


def work_everywhere(fleet: Fleet) -> None:
    """Run a worker in each clone at once."""
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda clone: work(fleet, clone), fleet.clones))
    assert [answer.status for answer in answers] == [0] * len(answers), answers


def race_for(fleet: Fleet, task: str, players: int = 8) -> str:
    """Let many claim one task at once; exactly one gets it. Return its token."""

    def claim(number: int) -> Answer:
        clone = fleet.clones[number % len(fleet.clones)]
        return clone.acting(BATON_AGENT=f"racer-{number}")("claim", task, "--json")

    with ThreadPoolExecutor(players) as pool:
        answers = list(pool.map(claim, range(players)))
    assert sorted(answer.status for answer in answers) == [0] + [75] * (players - 1), answers
    assert {answer.error["code"] for answer in answers if answer.status} <= {"held", "lost"}
    [won] = [answer for answer in answers if answer.status == 0]
    token: str = won.json["claims"][0]["token"]
    return token


def outlive(fleet: Fleet, task: str) -> str:
    """Let a claim of ``task`` run out and be taken back; return its token."""
    owner, bystander = fleet.clones[0].acting(BATON_AGENT="zombie"), fleet.clones[1]
    [claim] = owner.ok("claim", task, "--lease", "1s")["claims"]
    wait_until(lambda: bystander.ok("reap")["reaped"], f"the end of the claim of {task}")
    token: str = claim["token"]
    return token


def publish(clone: Baton, task: str, branch: str, text: str, token: str) -> Answer:
    """Finish a task with a branch of its own commit."""
    commit = clone.git("commit-tree", "-p", "main", "-m", text, "main^{tree}")
    clone.git("update-ref", f"refs/heads/{branch}", commit)
    return clone("done", task, "--branch", branch, "--token", token, "--json")


def do_the_main_job(fleet: Fleet) -> None:
    """Add, race, work, land, be too late, fold; then nothing is wrong and all is done."""
    one, two = fleet.clones
    fleet.add([*TASKS, {"id": "raced", "title": "Wanted"}, {"id": "slow", "title": "Too slow"}])
    won = publish(one, "raced", "raced", "the winner's", race_for(fleet, "raced"))
    assert won.status == 0, won

    late = outlive(fleet, "slow")
    answers: list[Answer] = []

    def claimed() -> bool:
        answers.append(two("claim", "slow", "--json"))
        return answers[-1].status == 0

    wait_until(claimed, "the second claim")
    [claim] = answers[-1].json["claims"]
    assert claim["epoch"] == 2
    # By its token: the winner of the race may have been another session of this very clone.
    proof = ("--token", claim["token"])
    assert two.ok("renew", "slow", *proof)["tasks"][0]["claim"]["epoch"] == 2
    done = two.ok("done", "slow", "--result", "done by the second", *proof)
    assert done["result"]["text"] == "done by the second"
    refused = publish(one, "slow", "zombie", "the zombie's", late)
    assert (refused.status, refused.error["code"]) == (76, "claim_lost")
    assert "refs/heads/zombie" not in fleet.remote.refs(), "I2: nothing is published"

    work_everywhere(fleet)
    assert {task["status"] for task in fleet.tasks().values()} == {"done"}
    for name in ("one", "two", "three"):
        assert f"{name}.txt" in fleet.remote.git("ls-tree", "-r", "--name-only", "main").split()
    one.ok("fold")
    words = [event["event"] for event in two.ok("log", "slow")["events"]]
    told = [word for word in words if word != "renew"]
    assert told == ["done", "claim", "reset", "claim", "add"]


def test_the_main_job_runs_over_every_transport(remote_site: Site, tmp_path: Path) -> None:
    """I1, I2, I3: over files, ssh and http with a password."""
    fleet = make_fleet(tmp_path, remote_site, clones=2)
    do_the_main_job(fleet)
    assert_spoken(fleet, "fast")
    assert_sound(fleet, reported=read_reports(tmp_path / "reports"))


def test_the_main_job_runs_on_a_sha256_repository(file_remotes: Site, tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path, file_remotes, clones=2, object_format="sha256")
    do_the_main_job(fleet)
    assert_sound(fleet, reported=read_reports(tmp_path / "reports"))


def test_the_main_job_runs_where_only_branches_may_be_pushed(
    file_remotes: Site, tmp_path: Path
) -> None:
    """The namespace is a branch prefix, on a host that refuses every other ref."""
    store = '[store]\nnamespace = "refs/heads/agents/state/"\nboard = "agents/board"\n'
    fleet = make_fleet(tmp_path, file_remotes, clones=2, config=CONFIG + store)
    fleet.remote.hook(
        "update", 'case "$1" in refs/heads/*) ;; *) echo "branches only"; exit 1; esac'
    )
    do_the_main_job(fleet)
    assert_sound(
        fleet,
        reported=read_reports(tmp_path / "reports"),
        namespace="refs/heads/agents/state/",
        board="refs/heads/agents/board",
    )


def test_a_host_without_atomic_push_lands_in_two_steps(file_remotes: Site, tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path, file_remotes, clones=2)
    fleet.remote.configure("receive.advertiseAtomic", "false")
    fleet.add(TASKS)
    work_everywhere(fleet)
    fleet.clones[0].ok("fold")
    words = [event["event"] for event in fleet.clones[0].ok("log", "one")["events"]]
    assert [word for word in words if word != "renew"] == ["done", "announce", "claim", "add"]
    assert_sound(fleet, reported=read_reports(tmp_path / "reports"))


def test_a_landing_cut_off_between_its_steps_is_completed(
    file_remotes: Site, tmp_path: Path
) -> None:
    """I4: the worker dies when the branch has moved and the record has not; the next one sees."""
    fleet = make_fleet(tmp_path, file_remotes, clones=2)
    one, two = fleet.clones
    fleet.remote.configure("receive.advertiseAtomic", "false")
    fleet.add([{"id": "one", "title": "Cut off"}])
    victim = tmp_path / "victim"
    fleet.remote.hook(
        "post-receive",
        f"grep -q refs/heads/main || exit 0; kill -9 $(cat '{victim}'); rm '{victim}'",
    )
    worker = one.start("work", "--agent", agent(fleet), "--land", "merge", "--once")
    victim.write_text(str(worker.pid))
    worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL
    assert fleet.tasks()["one"]["status"] == "in-progress"
    tip = fleet.remote.refs()["refs/heads/main"]

    answer = work(fleet, two)
    assert answer.status == 0, answer
    assert "its landing on main was completed" in answer.out
    task = fleet.tasks()["one"]
    assert (task["status"], task["result"]["commit"]) == ("done", tip)
    assert fleet.remote.refs()["refs/heads/main"] == tip, "it was not done again"
    work(fleet, one)  # sweeps what the dead worker left
    two.ok("fold")
    assert_sound(fleet, reported=read_reports(tmp_path / "reports"))


def test_a_host_that_refuses_the_target_blocks_the_task_with_its_words(
    file_remotes: Site, tmp_path: Path
) -> None:
    """I3: what the host will not have on the branch is on a rescue ref."""
    fleet = make_fleet(tmp_path, file_remotes, clones=2)
    words = "main is changed by pull requests only"
    refuse = (
        f'while read -r o n ref; do [ "$ref" = refs/heads/main ] && echo "{words}" && exit 1; done'
    )
    fleet.remote.hook("pre-receive", f"{refuse}; exit 0")
    fleet.add([{"id": "one", "title": "Refused"}])
    answer = work(fleet, fleet.clones[0])
    assert answer.status == 0, answer
    task = fleet.tasks()["one"]
    assert task["status"] == "blocked"
    assert words in task["reason"]
    fleet.clones[0].ok("fold")
    assert any(ref.startswith("refs/baton/rescue/one/1-") for ref in fleet.remote.refs())
    assert_sound(fleet, reported=read_reports(tmp_path / "reports"))
