"""``baton exec``: a command under a claim."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.functional.baton import COMMAND, Baton


def test_success_finishes_the_task_and_failure_releases_it(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    failed = baton("exec", "t1", "--", "sh", "-c", "echo out; echo err >&2; exit 5")
    assert (failed.status, failed.out, failed.err) == (5, "out\n", "err\n")
    task = baton.ok("show", "t1")
    assert (task["status"], task["attempts"]) == ("pending", 0)
    assert "status 5" in task["reason"]
    assert baton("exec", "t1", "--", "true").status == 0
    assert baton.ok("show", "t1")["status"] == "done"


def test_the_command_sees_its_claim(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    script = 'echo "$BATON_TASK $BATON_EPOCH $BATON_AGENT ${BATON_TOKEN%:*}"'
    answer = baton("exec", "t1", "--agent", "ann", "--", "sh", "-c", script)
    assert answer.out == "t1 1 ann t1:1\n"


def test_with_json_the_output_of_the_command_goes_to_standard_error(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    answer = baton("exec", "t1", "--json", "--", "echo", "--json")
    assert answer.status == 0
    assert answer.err == "--json\n"
    assert (answer.json["status"], answer.json["task"]["status"]) == (0, "done")


def test_the_command_may_end_the_claim_itself(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    baton_command = " ".join(COMMAND)
    answer = baton(
        "exec", "t1", "--", "sh", "-c", f"{baton_command} block t1 --reason 'what now?' >&2"
    )
    assert answer.status == 0
    assert baton.ok("show", "t1")["status"] == "blocked"


def test_what_is_claimed_is_not_run(baton: Baton, tmp_path: Path) -> None:
    baton.ok("claim", "t1", "--create")
    answer = baton("exec", "t1", "--", "touch", str(tmp_path / "ran"))
    assert answer.status == 75
    assert not (tmp_path / "ran").exists()


def test_signals_are_passed_on(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    script = "import signal, sys\nprint('up', flush=True)\nsignal.pause()"
    process = baton.start("exec", "t1", "--", sys.executable, "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert baton.ok("show", "t1")["status"] == "pending"


def test_a_claim_taken_away_ends_the_command(baton: Baton) -> None:
    """I2: what runs on without a claim can no longer publish, so it is told to end."""
    baton.ok("add", "One", "--id", "t1")
    script = "import signal, sys\nprint('up', flush=True)\nsignal.pause()"
    process = baton.start("exec", "t1", "--lease", "1s", "--", sys.executable, "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    baton.ok("cancel", "t1")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 76, err
    assert "t1" in err


def test_the_claim_is_renewed_while_the_command_runs(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    gate = baton.directory / "gate"
    os.mkfifo(gate)
    process = baton.start("exec", "t1", "--lease", "1s", "--", "cat", "gate")
    with gate.open("w"):  # opens when the command has, and lets it end when it is closed
        claim = baton.ok("show", "t1")["claim"]
        deadline = time.monotonic() + 30
        while baton.ok("show", "t1")["claim"]["renewed_at"] == claim["claimed_at"]:
            assert time.monotonic() < deadline, "not renewed"
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert baton.ok("show", "t1")["status"] == "done"
