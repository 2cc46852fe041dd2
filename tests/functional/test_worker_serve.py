"""`baton worker serve`: pulled and called, known to others, and open to messages."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gitbaton.app import open_app
from gitbaton.core.clock import SystemClock
from gitbaton.fleet import Fleet
from gitbaton.plans.inbox.addresses import Destination
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.opening import open_inbox
from gitbaton.plans.registry.record import WorkerRecord
from tests.functional.baton import Baton
from tests.functional.test_worker_machines import few_programs
from tests.functional.working import (
    GATED,
    Place,
    Worker,
    add,
    kept_worktrees,
    prompts,
    script,
    tasks,
    wait_until,
    work,
    working,
)
from tests.servers.site import BareRepository

ECHO = """
case "${BATON_TASK:-}" in
"") printf 'it says: '; sed -n 3p "$BATON_PROMPT_FILE"; echo rogue >rogue.txt ;;
*) echo "$BATON_AGENT" >"$BATON_TASK.txt" ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


@pytest.fixture
def clone(place: Place) -> Baton:
    """A clone on a machine with few programs and an inbox of its own."""
    made = place.clone("clone")
    path = Path(few_programs(place.area / "bin"))
    for name in ("bash", "cat", "chmod", "sed", "sleep", "touch"):
        found = shutil.which(name)
        assert found is not None
        (path / name).symlink_to(found)
    return made.acting(PATH=str(path), BATON_INBOX=str(place.area / "inbox.sqlite"))


@contextmanager
def serving(clone: Baton, *words: str, agent: str) -> Iterator[Worker]:
    """Run `baton worker serve --json` in ``clone``."""
    with working(clone, *words, agent=agent, verb=("worker", "serve")) as worker:
        yield worker


def known(clone: Baton) -> dict[str, dict[str, Any]]:
    """The workers that are known, by name."""
    return {worker["name"]: worker for worker in clone.ok("worker", "list")["workers"]}


def ask(clone: Baton, text: str = "", *, task: str | None = None, id: str | None = None) -> str:
    """Send a message here and return the response. Without a command: there are many of them."""
    draft = make_draft(sender="ann", text=text, task=task, id=id)
    clock = SystemClock()
    there = open_inbox(Destination(None), clone.environment(), clock)
    try:
        handle = there.inbox.send(draft).handle
        wait_until(lambda: there.inbox.response(handle), f"the answer to {text or task}")
        response = there.inbox.response(handle)
        assert response is not None
        return response.text
    finally:
        there.close()


def test_a_worker_serves(place: Place, clone: Baton) -> None:
    """It pulls, is called, answers, and is seen by others; ^C drains it."""
    agent = script(place.area, ECHO)
    add(clone, {"id": "pulled"})
    feed = place.area / "messages.jsonl"
    words = ("--name", "gpu-1", "--cap", "gpu", "--inbox-file", str(feed))
    with serving(clone, *words, agent=agent) as worker:
        worker.until("landed", "pulled")
        worker.until("waiting")
        seen = known(clone)["gpu-1"]
        assert (seen["state"], seen["slots"], seen["busy"]) == ("serving", 1, [])
        assert "gpu" in seen["capabilities"] and "git" in seen["toolchain"]

        add(clone, {"id": "called", "requires": ["gpu", "worker+gpu-1"]})
        send = ("inbox", "send", ".", "--task", "called", "--wait", "--timeout", "60s")
        assert clone.ok(*send, "--from", "ann", "--id", "c1")["response"]["text"] == "claimed"
        worker.until("landed", "called")
        assert ask(clone, task="called", id="c1") == "claimed", "a copy"
        assert ask(clone, task="called", id="c2") == "held: it is done"
        assert "there is no task" in ask(clone, task="nowhere")

        add(clone, {"id": "other", "requires": ["worker+gpu-2"]})
        assert "requires 'worker+gpu-2'" in ask(clone, task="other")

        assert ask(clone, "what is new?") == "it says: what is new?"
        feed.write_text(json.dumps({"id": "f1", "from": "ann", "text": "from a file"}) + "\n")
        assert ask(clone, "from a file", id="f1") == "it says: from a file", "whoever was first"
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert known(clone)["gpu-1"]["state"] == "gone"
    assert {task["status"] for task in tasks(clone).values()} == {"done", "pending"}
    branches = {ref for ref in place.remote.refs() if ref.startswith("refs/heads/task/")}
    assert branches == {"refs/heads/task/pulled", "refs/heads/task/called"}, "messages land nothing"


def test_a_machine_whose_tools_will_not_do_takes_nothing(place: Place, clone: Baton) -> None:
    """It says why to others, and to whoever calls it; a plan's tools count for its phases only."""
    with (clone.directory / "baton.toml").open("a") as config:
        config.write('[toolchain]\npython = ">=99"\n')
    add(clone, {"id": "waits"})
    with serving(clone, "--name", "old", agent=script(place.area, ECHO)) as worker:
        told = worker.until("notice")["text"]
        assert told.startswith("takes nothing: python is 3.") and told.endswith(">=99 is required")
        seen = known(clone)["old"]
        assert seen["state"] == "refusing"
        assert seen["reason"] == told.removeprefix("takes nothing: ")
        assert ask(clone, task="waits") == f"refused: {seen['reason']}"
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert tasks(clone)["waits"]["status"] == "pending"


def test_a_tool_that_changes_after_the_claim(place: Place, clone: Baton) -> None:
    """Asked anew before the agent runs: the task goes back, with what was found."""
    tool = Path(script(place.area / "bin", "echo wizard 2.0", name="wizard").strip("'"))
    with (clone.directory / "baton.toml").open("a") as config:
        config.write('[toolchain]\nwizard = ">=2"\n')
    with serving(clone, "--name", "w", agent=script(place.area, ECHO)) as worker:
        worker.until("waiting")
        tool.write_text(tool.read_text().replace("2.0", "1.9"))
        add(clone, {"id": "t"})
        released = worker.until("released", "t")
        assert released["text"] == "wizard is 1.9; >=2 is required"
        wait_until(lambda: known(clone)["w"]["state"] == "refusing", "the word of it")
        assert "landed" not in worker.kinds("t")
        worker.signal(signal.SIGTERM)
        assert worker.end() == 130
    task = tasks(clone)["t"]
    assert (task["status"], task["attempts"]) == ("pending", 0)


def test_a_name_belongs_to_one_machine(place: Place, clone: Baton) -> None:
    """Taken elsewhere it is refused; killed here, the next start here goes on under it."""
    agent = script(place.area, ECHO)
    app = open_app(clone.directory, clone.environment())
    Fleet(app).registry.announce(WorkerRecord(name="gpu-1", machine="elsewhere"))
    app.close()
    refused = clone("worker", "serve", "--agent", agent, "--name", "gpu-1", "--json")
    assert (refused.status, refused.error["code"]) == (1, "name_taken")
    assert "--take-over" in refused.error["next"]
    kept = clone("worker", "serve", "--agent", agent, "--cap", "worker+gpu-1", "--json")
    assert (kept.status, kept.error["code"]) == (2, "invalid")

    with serving(clone, "--name", "gpu-1", "--take-over", agent=agent) as first:
        first.until("waiting")
        first.signal(signal.SIGKILL)
        assert first.end() == -signal.SIGKILL
    with serving(clone, "--name", "gpu-1", "--lease", "3s", agent=agent) as second:
        second.until("waiting")
        with serving(clone, "--name", "gpu-1", agent=agent) as third:
            third.until("waiting")
            assert second.end() == 1, "it finds another session at its next beat"
            assert known(clone)["gpu-1"]["state"] == "serving"
            third.signal(signal.SIGINT)
            assert third.end() == 130


def test_a_called_worker_that_sleeps_too_long_cannot_publish(place: Place, clone: Baton) -> None:
    """I2: rung, suspended past its lease and reaped; its late result is rescued."""
    other = place.clone("other")
    with serving(clone, "--name", "sleeper", "--lease", "2s", agent=GATED) as sleeper:
        sleeper.until("waiting")
        add(clone, {"id": "gated"})
        assert ask(clone, task="gated") == "claimed"
        place.arrived("gated")
        sleeper.signal(signal.SIGSTOP)
        place.let_go("gated", 2)
        status, second = work(other, "--name", "b", "--drain", "--lease", "2s", agent=GATED)
        assert (status, second.kinds("gated")) == (0, ["reaped", "claimed", "landed"])
        result = tasks(other)["gated"]["result"]
        place.let_go("gated", 1)  # its agent ends well, with a result of its own
        sleeper.signal(signal.SIGCONT)
        sleeper.until("rescued", "gated")
        assert ask(clone, task="gated", id="late") == "held: it is done"
        sleeper.signal(signal.SIGINT)
        assert sleeper.end() == 130
    assert tasks(other)["gated"]["result"] == result
    assert place.branch("task/gated") == result["commit"]
    [late] = place.rescues("gated", 1)
    assert late != result["commit"]


def test_hooks_hear_of_work_and_of_alarms_and_hold_nothing_up(place: Place, clone: Baton) -> None:
    """One hook hangs; the other is told all, once; the agent sees no address of a hook."""
    heard = place.area / "heard"
    tell = script(place.area, f'cat >>"{heard}"; echo >>"{heard}"', name="tell.sh")
    hang = script(place.area, 'until [ -e "$GATE/go" ]; do sleep 0.1; done', name="hang.sh")
    with (clone.directory / "baton.toml").open("a") as config:
        config.write(
            f'[hooks.log]\nevents = ["all"]\ncommand = "{tell}"\n'
            f'[hooks.stuck]\nevents = ["all"]\ncommand = "{hang}"\ntimeout = "600s"\n'
            '[hooks.chat]\nevents = ["lost"]\nwebhook_env = "CHAT"\n'
            '[health]\nstall = "2s"\nmessage_age = "2s"\n'
        )
    agent = script(
        place.area,
        'test -z "${CHAT:-}"; case "$BATON_TASK" in slow) sleep 4 ;; esac; touch "$BATON_TASK"',
    )
    add(clone, {"id": "quick"}, {"id": "slow", "needs": ["quick"]}, {"id": "shut", "gate": "go"})

    def events(kind: str) -> list[dict[str, Any]]:
        lines = heard.read_text().split("\n")[:-1] if heard.exists() else []
        return [event for line in lines if line and (event := json.loads(line))["event"] == kind]

    armed = clone.acting(CHAT="https://hooks.example.org/s3cret")
    with working(armed, "--name", "w", agent=agent) as worker:
        worker.until("landed", "slow")
        wait_until(lambda: events("clear"), "the end of the stall")
        (place.gate / "go").touch()  # until here the first event has kept the other hook busy
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert [event["task"] for event in events("claim")] == ["quick", "slow"]
    assert [event["task"] for event in events("done")] == ["quick", "slow"]
    [stalled] = events("alert")
    assert stalled["text"].startswith("the agent of slow has printed nothing")
    assert [event["text"] for event in events("gate")] == [
        "shut waits at gate go; next: baton approve shut"
    ]
    assert (events("claim")[0]["worker"], stalled["machine"]) == ("w", events("done")[0]["machine"])


def test_a_message_outlives_the_worker_that_was_stopped(place: Place, clone: Baton) -> None:
    """Stopped while the agent thinks: the message is answered by the next one, exactly once."""
    slow = script(place.area, 'touch "$GATE/thinks"; sleep 600', name="slow.sh")
    sent = clone.ok("inbox", "send", ".:" + str(clone.directory), "what is new?")["message"]
    with serving(clone, "--name", "w", agent=slow) as first:
        wait_until((place.gate / "thinks").exists, "the agent")
        assert known(clone)["w"]["busy"] in ([], [f"message-{sent[:12]}"])
        first.signal(signal.SIGTERM)
        assert first.end() == 130
    assert [m["state"] for m in clone.ok("inbox", "list")["messages"]] == ["waiting"]
    with serving(clone, "--name", "w", agent=script(place.area, ECHO)) as second:
        answer = clone.ok("inbox", "wait", "--for", sent[:12], "--timeout", "60s")
        assert answer["response"]["text"] == "it says: what is new?"
        second.signal(signal.SIGINT)
        assert second.end() == 130
    assert kept_worktrees(clone) == prompts(clone) == set()
