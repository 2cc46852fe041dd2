"""Processes by number, start and boot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from gitbaton.core import process as processes
from gitbaton.core.process import (
    Process,
    find_process,
    is_alive,
    own_namespace,
    same_process,
    session_leader,
)
from tests.needs import needs

BOOT = "this-boot"


def test_a_process_is_itself_and_nobody_else() -> None:
    me = find_process(os.getpid(), origin=BOOT)
    assert me is not None
    assert is_alive(me, origin=BOOT)
    assert not is_alive(replace(me, start="0"), origin=BOOT), "the number was used again"
    assert not is_alive(me, origin="another boot")
    assert Process.from_value(me.to_value()) == me


def test_a_process_that_has_ended_is_gone_even_before_it_is_collected() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        process = find_process(child.pid, origin=BOOT)
        assert process is not None
        assert is_alive(process, origin=BOOT)
        assert child.stdin is not None
        child.stdin.close()
        assert child.stdout is not None
        assert child.stdout.read() == b"", "it has closed its output, so it is ending"
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
        assert not is_alive(process, origin=BOOT)
    assert find_process(0, origin=BOOT) is None


def test_the_leader_of_a_session_is_the_one_that_began_it() -> None:
    code = (
        "import os; from gitbaton.core.process import session_leader;"
        "leader = session_leader(origin='x'); print(leader.pid == os.getpid())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"
    mine = session_leader(origin=BOOT)
    assert mine is None or mine.pid == os.getsid(0)


def test_what_another_namespace_counts_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    me = find_process(os.getpid(), origin=BOOT)
    assert me is not None
    theirs = replace(me, start="0", namespace="1")
    monkeypatch.setattr(processes, "own_namespace", lambda: "2")
    assert is_alive(theirs, origin=BOOT), "its number says nothing here"
    assert not is_alive(theirs, origin="another boot")
    assert is_alive(replace(theirs, origin=f"a/{BOOT}"), origin=f"b/{BOOT}"), "a container's id"


def test_a_record_without_a_namespace_is_judged_by_its_number() -> None:
    me = find_process(os.getpid(), origin=BOOT)
    assert me is not None
    old = Process.from_value({"pid": me.pid, "start": me.start, "origin": BOOT})
    assert old.namespace is None
    assert is_alive(old, origin=BOOT)
    assert not is_alive(replace(old, start="0"), origin=BOOT)
    assert Process.from_value(replace(me, namespace="7").to_value()).namespace == "7"


def test_a_namespace_that_one_does_not_name_is_no_difference() -> None:
    me = Process(7, "1", BOOT, "9")
    assert same_process(me, replace(me, namespace=None))
    assert same_process(None, None)
    for other in (None, replace(me, namespace="8"), replace(me, pid=8), replace(me, start="2")):
        assert not same_process(me, other)
    assert not same_process(me, replace(me, origin="another boot", namespace=None))


def test_a_container_is_seen_from_outside_and_not_the_other_way_round() -> None:
    needs("containers")
    me = find_process(os.getpid(), origin=BOOT)
    assert me is not None
    code = (
        "import json, os, sys; from gitbaton.core.process import Process, find_process, is_alive;"
        "me = find_process(os.getpid(), origin=sys.argv[1]);"
        "print(json.dumps([me.to_value(), is_alive(Process.from_value(json.loads(sys.argv[2])),"
        "origin=sys.argv[1])]), flush=True); input()"
    )
    with subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code),
            *(BOOT, json.dumps(me.to_value())),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        value, sees_me = json.loads(child.stdout.readline())
        inside = Process.from_value(value)
        assert sees_me, "the tests run, though their number is another process's in there"
        assert inside.namespace not in (None, own_namespace())
        assert is_alive(inside, origin=BOOT)
        child.stdin.close()
        child.wait()
    seen = own_namespace() == processes._FIRST_NAMESPACE
    assert is_alive(inside, origin=BOOT) is not seen, "only the first namespace sees all the others"
