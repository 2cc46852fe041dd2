"""Processes by number, start and boot."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from gitbaton.core.process import Process, find_process, is_alive, session_leader

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
