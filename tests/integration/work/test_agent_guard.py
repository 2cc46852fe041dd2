"""Death all around: the worker's, the guard's, both; and a guard that is no subreaper (I4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Nonce, new_nonce
from gitbaton.work import guard as guard_module
from gitbaton.work.agent import AgentSpec, run_agent
from gitbaton.work.outcome import Ending
from gitbaton.work.strays import end_strays, find_strays

from .processes import PATIENCE, python, recorded, running, wait_until

GUARD = Path(guard_module.__file__)
SOURCE = GUARD.parents[2]
pytestmark = pytest.mark.timeout(300)

# Three processes, all deaf to TERM: the agent, its child, and a daemon with a session of its own.
FAMILY = """
    import os, signal, sys, time
    def note():
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note()
            time.sleep(1000)
        os._exit(0)
    os.wait()
    if os.fork() == 0:
        note()
        time.sleep(1000)
    note()
    while len(open("pids").readlines()) < 3:
        time.sleep(0.01)
    print("guard", os.getppid(), flush=True)
"""
WAITS = FAMILY + "    time.sleep(1000)\n"

WORKER = """
    import sys
    from pathlib import Path
    from gitbaton.core.clock import SystemClock
    from gitbaton.work.agent import AgentSpec, run_agent
    cwd, mark, grace, *argv = sys.argv[1:]
    run_agent(
        AgentSpec(argv=tuple(argv), cwd=Path(cwd), env={"BATON_CLAIM_MARK": mark},
                  log=Path(cwd, "log"), grace=float(grace)),
        clock=SystemClock(), listener=lambda line: print(line, flush=True),
    )
"""


@pytest.fixture
def mark() -> Iterator[Nonce]:
    """A mark of this test's own; what has it is ended afterwards, also when the test failed."""
    nonce = new_nonce()
    yield nonce
    end_strays(nonce, grace=0.0, clock=SystemClock())


@pytest.fixture
def worker(tmp_path: Path, mark: Nonce) -> Iterator[Callable[[float], tuple[int, int]]]:
    """Start a worker process whose agent is a family of three; return its and the guard's id."""
    started: list[subprocess.Popen[str]] = []
    worker = (sys.executable, "-c", textwrap.dedent(WORKER))

    def start(grace: float) -> tuple[int, int]:
        process = subprocess.Popen(
            [*worker, str(tmp_path), mark, str(grace), *python(WAITS)],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        word, guard = process.stdout.readline().split()
        assert word == "guard"
        return process.pid, int(guard)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_outlives_a_worker_that_is_killed(
    tmp_path: Path, worker: Callable[[float], tuple[int, int]]
) -> None:
    pid, guard = worker(0.2)
    pids = recorded(tmp_path / "pids")
    assert running(pids | {guard}) == pids | {guard}
    assert len(pids) == 3
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not running(pids | {guard}))


def test_a_killed_worker_still_grants_the_agent_its_grace(
    tmp_path: Path, worker: Callable[[float], tuple[int, int]]
) -> None:
    pid, guard = worker(10 * PATIENCE)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid) or not running({pid}))
    # The family ignores TERM, and its grace is long: it and its guard must still be there.
    assert running({guard} | recorded(tmp_path / "pids")) == {guard} | recorded(tmp_path / "pids")


def test_a_killed_guard_is_noticed_and_its_family_ended(tmp_path: Path, mark: Nonce) -> None:
    def shoot(line: str) -> None:
        os.kill(int(line.split()[1]), signal.SIGKILL)

    outcome = run_agent(
        AgentSpec(
            argv=python(WAITS),
            cwd=tmp_path,
            env={"BATON_CLAIM_MARK": mark},
            log=tmp_path / "log",
            grace=0.2,
        ),
        clock=SystemClock(),
        listener=shoot,
    )
    assert (outcome.reason, outcome.status, outcome.signal) == (Ending.LOST, None, None)
    assert outcome.left == 0
    assert len(recorded(tmp_path / "pids")) == 3
    assert running(recorded(tmp_path / "pids")) == set()


def test_a_survivor_that_floods_the_pipe_of_a_killed_guard_is_not_waited_for(
    tmp_path: Path, mark: Nonce
) -> None:
    # With its environment cleared and its parent dead, nothing betrays the flood any more.
    shot: list[int] = []
    code = """
        import os, sys, time
        flood = "echo $$ > pid; exec yes"
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execve("/bin/sh", ["sh", "-c", flood], {"PATH": "/usr/bin:/bin"})
            os._exit(0)
        os.wait()
        while not os.path.exists("pid") or not open("pid").read():
            time.sleep(0.01)
        with open("told", "w") as file:
            file.write(str(os.getppid()))
        os.rename("told", "guard")
        time.sleep(1000)
    """

    def shoot(line: str) -> None:
        if not shot and (tmp_path / "guard").exists():
            shot.append(int((tmp_path / "guard").read_text()))
            os.kill(shot[0], signal.SIGKILL)

    outcome = run_agent(
        AgentSpec(
            argv=python(code),
            cwd=tmp_path,
            env={"BATON_CLAIM_MARK": mark},
            log=tmp_path / "log",
            grace=0.2,
            cap=2**16,
        ),
        clock=SystemClock(),
        listener=shoot,
    )
    assert outcome.reason is Ending.LOST
    # The pipe has no reader any more, so the flood ends by itself.
    wait_until(lambda: not running(recorded(tmp_path / "pid")))


def test_the_agent_itself_dies_with_its_guard(
    tmp_path: Path, worker: Callable[[float], tuple[int, int]]
) -> None:
    pid, guard = worker(0.2)
    agent = next(p.pid for p in psutil.Process(guard).children() if p.pid == os.getpgid(p.pid))
    os.kill(pid, signal.SIGSTOP)  # the worker can do nothing about it
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: not running({agent}))
    os.kill(pid, signal.SIGKILL)


def test_strays_of_a_dead_worker_and_guard_are_found_and_ended(
    tmp_path: Path, mark: Nonce, worker: Callable[[float], tuple[int, int]]
) -> None:
    pid, guard = worker(0.2)
    pids = recorded(tmp_path / "pids")
    assert {p.pid for p in find_strays(mark)} == pids | {guard}
    os.kill(pid, signal.SIGSTOP)
    os.kill(guard, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(running(pids)) == 2)  # the agent's own process goes with the guard
    orphans = running(pids)
    assert {p.pid for p in find_strays(mark)} == orphans
    assert find_strays(new_nonce()) == []
    assert find_strays("") == []
    sweep = end_strays(mark, grace=0.1, clock=SystemClock())
    assert (set(sweep.ended), sweep.left) == (orphans, ())
    assert running(pids) == set()
    assert end_strays(mark, grace=0.1, clock=SystemClock()).ended == ()


def guard(tmp_path: Path, mark: str, mode: str, grace: float, code: str) -> str:
    """Run a guard by itself until it ends; return its report."""
    report, report_in = os.pipe()
    control_out, control = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), str(report_in), str(grace), mode, *python(code)],
        cwd=tmp_path,
        env={"BATON_CLAIM_MARK": mark},
        stdin=control_out,
        stdout=subprocess.DEVNULL,
        pass_fds=(report_in,),
    )
    os.close(report_in)
    os.close(control_out)
    process.wait(PATIENCE)
    os.close(control)
    with os.fdopen(report) as file:
        return file.read()


@pytest.mark.parametrize("mode", ["subreaper", "plain"])
def test_in_both_modes_the_family_is_gone_before_the_end_is_reported(
    tmp_path: Path, mark: Nonce, mode: str
) -> None:
    said = guard(tmp_path, mark, mode, 0.2, FAMILY + "    sys.exit(5)\n")
    pids = recorded(tmp_path / "pids")
    assert said.splitlines()[1] == "ended exit 5 ordered 0 left 0"
    assert len(pids) == 3
    assert running(pids) == set()


def test_a_guard_without_a_mark_to_look_for_still_ends_the_descendants(tmp_path: Path) -> None:
    # The child of a living agent, and no daemon: all that a plain guard without a mark can see.
    code = """
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                with open("pids", "a") as file:
                    file.write(f"{os.getpid()}\\n")
                time.sleep(1000)
        while not os.path.exists("pids") or len(open("pids").readlines()) < 3:
            time.sleep(0.01)
        os.close(1)
        os.kill(os.getpid(), 19)
    """
    report, report_in = os.pipe()
    control_out, control = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), str(report_in), "60", "plain", *python(code)],
        cwd=tmp_path,
        env={},
        stdin=control_out,
        pass_fds=(report_in,),
    )
    os.close(report_in)
    os.close(control_out)
    wait_until(lambda: (tmp_path / "pids").exists() and len(recorded(tmp_path / "pids")) == 3)
    os.write(control, b"K")
    process.wait(PATIENCE)
    os.close(control)
    with os.fdopen(report) as file:
        assert file.read().splitlines()[1] == "ended signal 9 ordered 1 left 0"
    assert running(recorded(tmp_path / "pids")) == set()
