"""`baton worker serve`: pulled and called, known to others, and open to messages."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.functional.baton import Baton
from tests.functional.test_worker_machines import few_programs
from tests.functional.working import Place, Worker, add, script, tasks, wait_until, working
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
    path = few_programs(place.area / "bin")
    env = {"PATH": f"{path}:/usr/bin:/bin", "BATON_INBOX": str(place.area / "inbox.sqlite")}
    return made.acting(**env)


@contextmanager
def serving(clone: Baton, *words: str, agent: str) -> Iterator[Worker]:
    """Run `baton worker serve --json` in ``clone``."""
    with working(clone, *words, agent=agent, verb=("worker", "serve")) as worker:
        yield worker


def known(clone: Baton) -> dict[str, dict[str, Any]]:
    """The workers that are known, by name."""
    return {worker["name"]: worker for worker in clone.ok("worker", "list")["workers"]}


def ask(clone: Baton, *words: str) -> str:
    """Send a message here and return the response."""
    sent = clone.ok("inbox", "send", ".", *words, "--wait", "--timeout", "60s")
    text: str = sent["response"]["text"]
    return text


def test_a_worker_serves(place: Place, clone: Baton) -> None:
    """It pulls, is called, answers, and is seen by others; ^C drains it."""
    agent = script(place.area, ECHO)
    add(clone, {"id": "pulled"})
    feed = place.area / "messages.jsonl"
    with serving(clone, "--name", "gpu-1", "--cap", "gpu", "--inbox-file", str(feed), agent=agent) as worker:
        worker.until("landed", "pulled")
        worker.until("waiting")
        seen = known(clone)["gpu-1"]
        assert (seen["state"], seen["slots"], seen["busy"]) == ("serving", 1, [])
        assert "gpu" in seen["capabilities"] and "git" in seen["toolchain"]

        add(clone, {"id": "called", "requires": ["gpu", "worker+gpu-1"]})
        assert ask(clone, "--task", "called", "--id", "c1") == "claimed"
        worker.until("landed", "called")
        assert ask(clone, "--task", "called", "--id", "c1") == "claimed", "a copy"
        assert ask(clone, "--task", "called", "--id", "c2") == "held: it is done"
        assert "there is no task" in ask(clone, "--task", "nowhere")

        add(clone, {"id": "other", "requires": ["worker+gpu-2"]})
        assert "requires 'worker+gpu-2'" in ask(clone, "--task", "other")

        assert ask(clone, "what is new?") == "it says: what is new?"
        feed.write_text(json.dumps({"id": "f1", "text": "from a file"}) + "\n")
        answered = lambda: [  # noqa: E731
            message["response"]["text"]
            for message in clone.ok("inbox", "list", "--all")["messages"]
            if message["id"] == "f1" and message["response"]
        ]
        wait_until(answered, "the answer to a line of the file")
        assert answered() == ["it says: from a file"]
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert known(clone)["gpu-1"]["state"] == "gone"
    assert {task["status"] for task in tasks(clone).values()} == {"done", "pending"}
    branches = {ref for ref in place.remote.refs() if ref.startswith("refs/heads/task/")}
    assert branches == {"refs/heads/task/pulled", "refs/heads/task/called"}, "messages land nothing"
