"""`baton plan run` with real git and workers: killed, begun again, each phase landed once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton
from tests.functional.working import Place, script, wait_until, working
from tests.servers.site import BareRepository

# The agent writes what its phase is to deliver, but for the first attempt at `left`.
AGENT = """
cd "$BATON_WORKTREE"
name=${BATON_TASK#dia.}
if [ "$name" = left ] && [ "$BATON_EPOCH" = 1 ]; then name=right; fi
echo "by $BATON_TASK" >"$name.txt"
"""
NEEDS = {"top": [], "left": ["top"], "right": ["top"], "bottom": ["left", "right"]}


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


def write_plan(clone: Baton) -> None:
    phases = [
        f'[[phase]]\nid = "{id}"\ntitle = "Make {id}"\ndeliverable = ["{id}.txt"]\n'
        f'checks = ["true"]\nneeds = {json.dumps(needs)}\n'
        for id, needs in NEEDS.items()
    ]
    (clone.directory / "plan.toml").write_text('[plan]\nname = "dia"\n' + "\n".join(phases))


def start(clone: Baton) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "plan", "run", "plan.toml", "--every", "0.3s", "--json"],
        cwd=clone.directory,
        env=clone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process: subprocess.Popen[str], kind: str) -> None:
    """Read what the orchestrator tells until it tells ``kind``."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("{") and json.loads(line).get("event") == kind:
            return
    raise AssertionError("".join(told))


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_diamond_with_a_failing_phase_lands_once_though_its_orchestrator_is_killed(
    place: Place,
) -> None:
    """I1, I2, I4: with a worker in another clone, and an orchestrator killed twice."""
    here, there = place.clone("here"), place.clone("there")
    write_plan(here)
    agent = script(place.area, AGENT)
    first = start(here)
    until(first, "announced")
    kill(first)  # perhaps before the phases are tasks, perhaps after
    second = start(here)
    with working(there, agent=agent) as worker:
        worker.until("landed", "dia.top")
        kill(second)
        last = start(here)
        out, _ = last.communicate(timeout=90)
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert last.returncode == 0, out
    events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert events[-1]["event"] == "ended" and "all 4" in events[-1]["text"]

    landed = [event["task"] for event in worker.of("landed")]
    assert sorted(landed) == ["dia.bottom", "dia.left", "dia.right", "dia.top"]
    assert (landed[0], landed[-1]) == ("dia.top", "dia.bottom")
    [failed] = worker.of("failed")
    assert failed["task"] == "dia.left" and "no file left.txt" in failed["text"]
    done = [e for e in here.ok("log")["events"] if e["subject"].startswith("done:")]
    assert len(done) == 4  # I2: and each branch is where its record says
    for phase in here.ok("plan", "status", "dia")["phases"]:
        assert place.branch(phase["branch"]) == phase["commit"]
    bottom = place.branch("task/dia.bottom")
    assert bottom is not None
    assert {"top.txt", "left.txt", "right.txt", "bottom.txt"} <= place.files(bottom)

    shown = here("plan", "status", "plan.toml").out
    assert "4 of 4 phases done" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())

    # Nothing is in main as yet, so nothing may go; merged, all may, and nothing else does.
    assert here.ok("plan", "branches", "dia", "--prune")["branches"][0]["deleted"] is False
    here.git("fetch", "-q", "origin")
    here.git("checkout", "-q", "main")
    here.git("merge", "-q", "-m", "All of it", "origin/task/dia.left")
    here.git("push", "-q", "origin", "main")
    tried = here.ok("plan", "branches", "dia", "--prune", "--dry-run")["branches"]
    assert [each["would_delete"] for each in tried] == [True, True, False, False]
    assert place.branch("task/dia.top") is not None
    pruned = here.ok("plan", "branches", "--prune")["branches"]
    gone = {each["task"] for each in pruned if each["deleted"]}
    assert gone == {"dia.top", "dia.left"}
    assert [place.branch(f"task/dia.{id}") is None for id in NEEDS] == [True, True, False, False]


def test_a_plan_with_errors_is_refused_and_nothing_is_written(baton: Baton) -> None:
    (baton.directory / "plan.toml").write_text('[plan]\nname = "p"\n[[phase]]\nid = "a"\n')
    answer = baton("plan", "run", "plan.toml", "--json")
    assert (answer.status, answer.error["code"]) == (1, "invalid_plan")
    assert baton.ok("list")["tasks"] == []
    assert baton("plan", "status", "p", "--json").error["code"] == "unknown_plan"


def test_interrupted_it_ends_with_130_and_the_plan_stays(baton: Baton) -> None:
    write_plan(baton)
    process = start(baton)
    until(process, "progress")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    wait_until(lambda: len(baton.ok("list")["tasks"]) == 4)


def test_a_phase_that_failed_ends_it_with_1_and_says_what_waits(baton: Baton) -> None:
    write_plan(baton)
    process = start(baton)
    until(process, "progress")
    baton.ok("cancel", "dia.top")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1, out
    shown = baton("plan", "status", "dia").out
    assert "dia.top, which is cancelled" in shown and "baton retry dia.top" in shown
