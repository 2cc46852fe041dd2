"""Marks of processes: whether they live is seen from other containers too, by locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gitbaton.core import owners as marks
from gitbaton.core import process as processes
from gitbaton.core.owners import Owners
from gitbaton.core.process import Process
from tests.needs import needs

BOOT = "a/this-boot"
ENTERS = (
    "import json, os, subprocess, sys; from gitbaton.core.owners import Owners;"
    "from pathlib import Path; owners = Owners(Path(sys.argv[1]), sys.argv[2]);"
    "print(json.dumps(owners.enter().to_value()), flush=True);"
)
WAITS = ENTERS + "input()"
FORKS = ENTERS + (
    "up, told = os.pipe();"
    "os.fork() or (os.write(told, b'.'), sys.stdin.read(), os._exit(0)); os.read(up, 1);"
    "os._exit(0)"
)
STARTS = ENTERS + "subprocess.Popen(['cat']); os._exit(0)"


@pytest.fixture(autouse=True)
def namespaces_have_numbers() -> None:
    needs("numbered-namespaces")


@contextmanager
def owner(place: Path, code: str = WAITS, *prefix: str) -> Iterator[Process]:
    """Start ``code``; give it as it has entered, and end all of it afterwards."""
    with subprocess.Popen(
        [*prefix, sys.executable, "-c", code, str(place), BOOT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdin is not None and started.stdout is not None
        yield Process.from_value(json.loads(started.stdout.readline()))
        started.stdin.close()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owners:
    """The marks as one of another container sees them."""
    monkeypatch.setattr(processes, "own_namespace", lambda: "7")
    return Owners(tmp_path / "owners", "b/this-boot")


def test_an_owner_is_judged_by_its_mark_from_another_container(elsewhere: Owners) -> None:
    place = elsewhere._directory
    with owner(place) as one:
        assert (elsewhere.judge(one), elsewhere.is_seen(one)) == (True, True)
        assert elsewhere.judge(replace(one, origin="a/other-boot")) is False
    assert (elsewhere.judge(one), elsewhere.is_alive(one)) == (False, False)
    unmarked = replace(one, start="1")
    assert elsewhere.judge(unmarked) is None
    assert elsewhere.is_alive(unmarked) and not elsewhere.is_seen(unmarked)
    assert elsewhere.judge(replace(one, namespace="../../etc")) is None


@pytest.mark.parametrize("code", [FORKS, STARTS])
def test_what_an_owner_started_does_not_live_for_it(elsewhere: Owners, code: str) -> None:
    with owner(elsewhere._directory, code) as one:  # what it started goes on
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        assert elsewhere.judge(one) is False


def test_marks_of_the_dead_are_swept_unless_a_record_names_them(elsewhere: Owners) -> None:
    place = elsewhere._directory
    with owner(place) as named, owner(place) as forgotten:
        pass
    with owner(place) as living:
        assert elsewhere.sweep(lambda: {named}) == 1
        assert [elsewhere.judge(one) for one in (named, forgotten, living)] == [False, None, True]
        assert elsewhere.sweep(lambda: {named}) == 0


def test_a_mark_that_a_sweep_takes_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep looks between the making of the file and the lock on it."""
    import fcntl

    owners, lock = Owners(tmp_path / "owners", BOOT), fcntl.flock
    swept: list[int] = []

    def late(handle: int, how: int) -> None:
        if how == fcntl.LOCK_SH and not swept:
            swept.append(0)
            swept[0] = Owners(tmp_path / "owners", BOOT).sweep(set)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    me = owners.enter()
    assert swept == [1]
    monkeypatch.setattr(processes, "own_namespace", lambda: "7")
    assert owners.judge(me) is True
    owners.close()
    assert owners.judge(me) is False
    assert not marks._held & {owners._handle}


def test_two_of_one_process_hold_the_mark_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (Owners(tmp_path / "owners", BOOT) for _ in range(2))
    me = one.enter()
    assert two.enter() == me
    monkeypatch.setattr(processes, "own_namespace", lambda: "7")
    one.close()
    assert two.judge(me) is True
    two.close()


def test_where_no_mark_can_be_made_the_number_counts(tmp_path: Path) -> None:
    (tmp_path / "owners").write_text("")
    owners = Owners(tmp_path / "owners", BOOT)
    me = owners.enter()
    assert owners.judge(me) is True
    owners.close()
