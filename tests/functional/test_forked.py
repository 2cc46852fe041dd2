"""A run of ``baton`` in a fork is like one in a process that was started for it."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.functional.baton import COMMAND, Baton
from tests.functional.forked import can_fork, forker
from tests.functional.working import wait_until

PLAYERS = 16


@pytest.fixture(autouse=True)
def forking(baton: Baton) -> None:
    """Nothing here is about a machine that cannot fork like this."""
    if not can_fork(baton.environment()):
        pytest.skip("each command gets an interpreter of its own here")


def cold(baton: Baton, *words: str, stdin: str = "") -> tuple[int, bytes, bytes]:
    """Run ``baton`` in an interpreter of its own; return its status and what it printed."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=baton.directory,
        env=baton.environment(),
        input=stdin.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("--version",), ""),
        (("ready", "--json"), ""),
        (("show", "nothing", "--json"), ""),
        (("list", "--colour"), ""),
        (("add", "--from", "-", "--json"), '{"id": "t1", "title": 3}\n'),
        (("exec", "t1", "--", "sh", "-c", 'echo "$OWN"; pwd; umask; exit 3'), ""),
    ],
)
def test_it_says_and_ends_the_same(baton: Baton, words: tuple[str, ...], stdin: str) -> None:
    mine = baton.acting(OWN="né\udce9")
    mine.ok("add", "One", "--id", "t1", "--max-attempts", "9")
    started = cold(mine, *words, stdin=stdin)
    done = forker().run(
        words, cwd=mine.directory, env=mine.environment(), stdin=stdin.encode(), timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == started


def test_what_is_read_and_written_may_be_long(baton: Baton) -> None:
    """Longer than a pipe holds, both ways."""
    lines = "".join(
        f'{{"id": "t{n}", "title": "T", "body": "{"long " * 90}"}}\n' for n in range(300)
    )
    added = baton.ok("add", "--from", "-", stdin=lines)
    assert len(added["tasks"]) == 300
    assert len(baton.ok("list")["tasks"]) == 300


def test_sixteen_at_once_are_sixteen_processes(baton: Baton) -> None:
    baton.ok("add", "Wanted", "--id", "t1")
    together = threading.Barrier(PLAYERS)

    def claim(number: int) -> int:
        me = baton.acting(BATON_AGENT=f"racer-{number}")
        together.wait(60)
        return me("claim", "t1", "--json").status

    with ThreadPoolExecutor(PLAYERS) as pool:
        statuses = sorted(pool.map(claim, range(PLAYERS)))
    assert statuses == [0] + [75] * (PLAYERS - 1)


def test_one_that_does_not_end_is_killed(baton: Baton) -> None:
    parent = psutil.Process(forker().process.pid)
    with pytest.raises(subprocess.TimeoutExpired):
        forker().run(
            ["reap", "--watch", "--every", "60s"],
            cwd=baton.directory,
            env=baton.environment(),
            stdin=b"",
            timeout=1,
        )
    wait_until(lambda: parent.children() == [], "its end")


def test_other_shapes_of_an_interpreter_are_started(baton: Baton) -> None:
    assert not can_fork({**baton.environment(), "PYTHONPATH": "/elsewhere"})
    assert not can_fork({**baton.environment(), "TZ": "Asia/Tokyo"})
    assert can_fork({**baton.environment(), "BATON_AGENT": "ada"})
