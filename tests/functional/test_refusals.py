"""Exit statuses and messages of everything that goes wrong on this side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["show", "nope"], 1, "unknown_task"),
        (["why", "nope"], 1, "unknown_task"),
        (["log", "nope"], 1, "unknown_task"),
        (["claim", "nope"], 1, "unknown_task"),
        (["add", "x", "--id", "t1"], 1, "exists"),
        (["accept", "t1"], 1, "wrong_status"),
        (["retry", "t1"], 1, "wrong_status"),
        (["add", "x", "--id", "No Good"], 2, "invalid"),
        (["add", "x", "--needs", "nope"], 2, "invalid"),
        (["add", "x", "--priority", "99"], 2, "invalid"),
        (["add", "x", "--paths", "/etc/*"], 2, "invalid"),
        (["add", "x", "--timeout", "soon"], 2, "usage"),
        (["add"], 2, "usage"),
        (["add", ""], 2, "invalid"),
        (["add", "two\nlines"], 2, "invalid"),
        (["add", "x", "--body", "a", "--body-file", "readme"], 2, "invalid"),
        (["add", "x", "--from", "readme"], 2, "usage"),
        (["add", "--from", "missing"], 2, "invalid"),
        (["claim", "Not/An/Id"], 2, "invalid"),
        (["claim", "t1", "--agent", "a\x1b[2Jb"], 2, "invalid"),
        (["claim", "t1", "--count", "2"], 2, "usage"),
        (["claim", "t1", "--keep", "999999999"], 2, "invalid"),
        (["claim", "--create"], 2, "usage"),
        (["done", "t1"], 76, "claim_lost"),
        (["done", "t1", "--branch", "a", "--commit", "b"], 2, "usage"),
        (["edit", "t1"], 2, "usage"),
        (["exec", "t1", "--", "no-such-command"], 2, "invalid"),
        (["init", "--remote", "nowhere"], 2, "invalid"),
        (["init", "--remote", "x", "--sqlite"], 2, "usage"),
        (["frobnicate"], 2, "usage"),
        (["list", "--frobnicate"], 2, "usage"),
        (["-C", "missing", "list"], 2, "invalid"),
    ],
)
def test_a_refusal_is_one_document_with_its_status(
    baton: Baton, words: list[str], status: int, code: str
) -> None:
    baton.ok("add", "One", "--id", "t1")
    before = baton.ok("log")
    at = words.index("--") if "--" in words else len(words)
    answer = baton(*words[:at], "--json", *words[at:])
    assert (answer.status, answer.error["code"]) == (status, code), answer
    assert answer.error["message"]
    plain = baton(*words)
    assert plain.status == status
    assert plain.out == ""
    assert plain.err.startswith("baton: ")
    assert "\x1b" not in plain.err
    assert baton.ok("log") == before, "nothing was changed"


def test_outside_of_a_repository(tmp_path: Path) -> None:
    answer = Baton(tmp_path)("list", "--json")
    assert answer.status == 1
    assert "not in a git repository" in answer.error["message"]


def test_a_bug_is_reported_with_the_place_of_its_log(baton: Baton, tmp_path: Path) -> None:
    """A database that is a directory is nothing anybody foresaw; neither is this."""
    baton.ok("init")
    sabotage = tmp_path / "sabotage"
    sabotage.mkdir()
    (sabotage / "sitecustomize.py").write_text(
        "import gitbaton.tasks.queue as q\n"
        "def view(self): raise ZeroDivisionError('sabotage')\n"
        "q.Queue.view = view\n"
    )
    broken = baton.acting(PYTHONPATH=f"{sabotage}:{baton.environment()['PYTHONPATH']}")
    answer = broken("list", "--json", "--no-color")
    assert (answer.status, answer.error["code"]) == (3, "bug")
    log = Path(answer.error["next"].removeprefix("report it with "))
    assert "ZeroDivisionError: sabotage" in log.read_text()
    assert log.parent == baton.directory / ".git" / "baton" / "logs"
    assert log.stat().st_mode & 0o077 == 0


def test_a_mistake_in_baton_toml_names_the_key(baton: Baton) -> None:
    (baton.directory / "baton.toml").write_text('[queue]\nlaese = "5m"\n')
    answer = baton("list", "--json")
    assert answer.status == 2
    assert "queue.laese" in answer.error["message"]
    assert "'lease'" in answer.error["message"]
    assert "baton.toml" in answer.error["message"]


def test_an_interrupted_run_exits_130(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    process = baton.start("reap", "--watch", "--verbose", "--dry-run")
    assert process.stderr is not None
    assert "sqlite" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_a_closed_pipe_is_quiet(baton: Baton) -> None:
    baton.ok("add", "One")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "list", "--json"],
        cwd=baton.directory,
        env=baton.environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_json_is_one_line_whatever_is_in_it(baton: Baton) -> None:
    body = "line\nwith \u2028 separators, \u009b31m and \U0001f600"
    (baton.directory / "body").write_text("line\n\twith tabs \U0001f600\n")
    task = baton.ok("add", "Grüße \U0001f600", "--body-file", "body")
    assert task["body"] == "line\n\twith tabs \U0001f600\n"
    refused = baton("add", "x", "--body", body, "--json")
    assert refused.error["code"] == "invalid"


def test_arguments_that_are_no_text_are_refused(baton: Baton) -> None:
    done = subprocess.run(
        [*COMMAND, "add", b"caf\xe9", "--json"],
        cwd=baton.directory,
        env=baton.environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2, done
    assert json.loads(done.stdout)["error"]["code"] == "invalid"
