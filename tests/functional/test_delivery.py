"""What becomes of an answer that cannot be written, and in which bytes one is written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton
from tests.needs import needs

FULL = Path("/dev/full")


@pytest.fixture
def full_device() -> None:
    """A device that is always full."""
    needs("full-device")


with_full_device = pytest.mark.usefixtures("full_device")


def redirected(
    clone: Baton, redirection: str, *words: str, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``baton *words`` with a shell's ``redirection``, as in ``>/dev/full``."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, *words],
        cwd=clone.directory,
        env={**clone.environment(), **env},
        capture_output=True,
        check=False,
        timeout=60,
    )


@with_full_device
@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("--help",), ("show", "--help")])
def test_an_answer_that_cannot_be_written_has_a_status_of_its_own(
    baton: Baton, words: tuple[str, ...]
) -> None:
    baton.ok("add", "one", "--id", "one")
    done = redirected(baton, ">/dev/full", *words)
    assert done.returncode == 74, done
    line, next = done.stderr.decode().splitlines()
    assert line.startswith("baton: the answer could not be written to standard output: No space")
    assert next == "  next: baton status"


@with_full_device
def test_a_failure_keeps_its_status_and_is_told_on_the_other_stream(baton: Baton) -> None:
    done = redirected(baton, ">/dev/full", "show", "none", "--json")
    assert (done.returncode, done.stderr) == (
        1,
        b"baton: there is no task 'none'\n  next: baton list\n",
    )


@with_full_device
@pytest.mark.parametrize("redirection", [">/dev/full", ">/dev/full 2>/dev/full", ">&- 2>&-"])
def test_a_commit_is_made_though_nobody_can_be_told(baton: Baton, redirection: str) -> None:
    hook = baton.directory / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho said; echo complained >&2\n")
    hook.chmod(0o755)
    (baton.directory / "new").write_text("x\n")
    done = redirected(baton, redirection, "commit", "new", "-m", "made")
    # As with git, a stream that was closed wants nothing.
    assert done.returncode == (74 if ">/dev/full" in redirection else 0), done
    assert b"Traceback" not in done.stderr
    assert baton.git("log", "-1", "--format=%s") == "made"


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_command_succeeds_though_it_cannot_complain(baton: Baton, redirection: str) -> None:
    if "full" in redirection:
        needs("full-device")
    done = redirected(baton, redirection, "list", "--json", "--verbose")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"tasks": []})


def test_a_closed_stream_is_never_the_number_of_a_file_of_ours(baton: Baton) -> None:
    assert redirected(baton, "<&- >&- 2>&-", "add", "one", "--id", "one").returncode == 0
    assert [task["id"] for task in baton.ok("list")["tasks"]] == ["one"]


@with_full_device
def test_a_worker_that_nobody_hears_gives_back_what_it_holds(baton: Baton) -> None:
    baton.ok("add", "one", "--id", "one")
    events = redirected(baton, "| head -n 1", "work", "--agent", "sleep 600", "--once", "--json")
    assert json.loads(events.stdout)["event"] == "started"
    done = redirected(baton, ">/dev/full", "work", "--agent", "sleep 600", "--once", "--json")
    assert done.returncode == 74, done
    task = baton.ok("show", "one")
    assert (task["status"], task["claim"]) == ("pending", None)


@with_full_device
def test_a_primary_that_nobody_hears_ends_in_order(clones: Callable[[str], Baton]) -> None:
    one = clones("one")
    (one.directory / "agents.json").write_text('["ann"]')
    one.ok("frame", "init", "--agents", "agents.json")
    done = redirected(one, ">/dev/full", "frame", "primary", "--json")
    assert done.returncode == 74, done
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_json_is_utf8_in_every_locale(baton: Baton, encoding: str) -> None:
    baton.ok("add", "grün ✓", "--id", "one")
    done = redirected(baton, "", "show", "one", "--json", PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout.decode())["title"] == "grün ✓"


def test_a_word_that_is_no_unicode_is_refused_in_json(baton: Baton) -> None:
    done = subprocess.run(
        [*COMMAND, "show", b"\xff", "--json"],
        cwd=baton.directory,
        env=baton.environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (1, 2), done
    assert json.loads(done.stdout)["error"]["next"], done


SLOW = """
import os, signal, sys
wanted = sys.argv.pop(1)
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Slow())
from gitbaton.cli.main import main
main()
"""


@pytest.mark.parametrize("module", ["click", "msgspec", "gitbaton.cli.verbs.list"])
@pytest.mark.parametrize("json_wanted", [True, False])
def test_an_interrupt_is_answered_while_modules_load(
    baton: Baton, module: str, json_wanted: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW, module, "list", *(["--json"] if json_wanted else [])],
        cwd=baton.directory,
        env=baton.environment(),
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130, done
    assert b"Traceback" not in done.stderr
    if json_wanted:
        assert json.loads(done.stdout)["error"]["code"] == "interrupted"
    else:
        assert done.stdout == b""
