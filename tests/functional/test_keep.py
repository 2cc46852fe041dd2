"""``claim --keep``: a process in the background renews until another one ends."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import psutil

from tests.functional.baton import Baton


def keepers(pid: int) -> list[psutil.Process]:
    """Return the keepers that watch the process ``pid``.

    A child that a keeper has forked and that has not become git yet still shows its parent's
    arguments: it is no keeper of its own.
    """
    alike = {}
    for process in psutil.process_iter(["cmdline", "ppid"]):
        words = process.info["cmdline"] or []
        if "gitbaton.cli.keep" in words and str(pid) in words:
            alike[process.pid] = process
    return [process for process in alike.values() if process.info["ppid"] not in alike]


def until(true: Callable[[], object]) -> None:
    """Ask until ``true`` holds; fail after a minute."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came true"


def test_the_keeper_renews_and_ends_with_the_process(baton: Baton) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as kept:
        [won] = baton.ok("claim", "t1", "--create", "--lease", "1s", "--keep", str(kept.pid))[
            "claims"
        ]
        [keeper] = keepers(kept.pid)
        assert won["token"] not in " ".join(keeper.cmdline()), "arguments are public"
        claimed = won["task"]["claim"]["claimed_at"]
        until(lambda: baton.ok("show", "t1")["claim"]["renewed_at"] != claimed)
        kept.communicate(b"")
    keeper.wait(timeout=60)
    assert baton.ok("show", "t1")["status"] == "in-progress", "the lease runs out by itself"


def test_the_keeper_ends_when_the_task_is_done(baton: Baton) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as kept:
        baton.ok("claim", "t1", "--create", "--lease", "1s", "--keep", str(kept.pid))
        [keeper] = keepers(kept.pid)
        baton.ok("done", "t1")
        keeper.wait(timeout=60)
        kept.communicate(b"")


def test_the_keeper_outlives_the_shell_that_claimed(baton: Baton) -> None:
    """Not a child of ours and in a session of its own: no hang-up reaches it."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as kept:
        baton.ok("claim", "t1", "--create", "--lease", "2s", "--keep", str(kept.pid))
        [keeper] = keepers(kept.pid)
        with subprocess.Popen(
            ["ps", "-o", "sid=", "-p", str(keeper.pid)], stdout=subprocess.PIPE, text=True
        ) as asked:
            assert asked.communicate()[0].strip() == str(keeper.pid)
        kept.communicate(b"")
    keeper.wait(timeout=60)
