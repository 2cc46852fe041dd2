"""Real programs under the guard: whatever they do, the worker gets a clear outcome."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from gitbaton.core.clock import ManualClock, SystemClock
from gitbaton.core.ids import new_nonce
from gitbaton.work.agent import AgentRun, AgentSpec, run_agent
from gitbaton.work.outcome import AgentOutcome, Ending
from gitbaton.work.output import dropped_line

from .processes import PATIENCE, existing, python, recorded

pytestmark = pytest.mark.timeout(300)

# A double fork, a session of its own, deaf to TERM, and without the environment it came with:
# only its ancestry can betray this one.
DAEMON = """
    import os, signal, sys, time
    code = 'import os, time\\nwhile True: open("daemon", "a").write("%d\\\\n" % os.getpid())'
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code], {})
        os._exit(0)
    os.wait()
    while not os.path.exists("daemon"):
        time.sleep(0.01)
"""


def spec(tmp_path: Path, *argv: str, **settings: object) -> AgentSpec:
    worktree = tmp_path / "tree"
    worktree.mkdir(exist_ok=True)
    plain: dict[str, object] = {
        "argv": argv,
        "cwd": worktree,
        "env": {"PATH": os.environ["PATH"], "BATON_CLAIM_MARK": new_nonce()},
        "log": tmp_path / "logs" / "agent.log",
        "grace": PATIENCE,
    }
    return AgentSpec(**{**plain, **settings})  # type: ignore[arg-type]


def run(
    tmp_path: Path,
    *argv: str,
    listener: Callable[[str], None] | None = None,
    should_stop: Callable[[], str | None] | None = None,
    **settings: object,
) -> AgentOutcome:
    return run_agent(
        spec(tmp_path, *argv, **settings),
        clock=SystemClock(),
        listener=listener,
        should_stop=should_stop,
    )


# --- what an agent may do


def test_the_status_and_what_it_prints_come_back(tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = run(
        tmp_path, "sh", "-c", "echo out; echo err >&2; pwd; exit 3", listener=lines.append
    )
    assert (outcome.reason, outcome.status, outcome.signal) == (Ending.FINISHED, 3, None)
    assert not outcome.succeeded
    assert lines == ["out", "err", str(tmp_path / "tree")]
    assert outcome.tail.splitlines() == lines
    assert (tmp_path / "logs" / "agent.log").read_text().splitlines() == lines


def test_one_that_asks_on_standard_input_gets_its_end(tmp_path: Path) -> None:
    outcome = run(tmp_path, "sh", "-c", 'read answer || echo "no answer"; cat; echo done')
    assert outcome.succeeded
    assert outcome.tail == "no answer\ndone\n"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_one_that_dies_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    outcome = run(tmp_path, "sh", "-c", f"kill -{number.value} $$")
    assert (outcome.reason, outcome.status, outcome.signal) == (Ending.FINISHED, None, number)


def test_one_that_signals_its_parent_does_not_end_the_guard(tmp_path: Path) -> None:
    outcome = run(
        tmp_path, "sh", "-c", "for s in TERM INT HUP QUIT; do kill -$s $PPID; done; exit 4"
    )
    assert (outcome.reason, outcome.status) == (Ending.FINISHED, 4)


def test_it_starts_with_nothing_inherited_but_its_environment(tmp_path: Path) -> None:
    looks = """
        import os, signal
        print(sorted(f for f in range(64) if not os.system(f"test -e /dev/fd/{f}") and f > 2))
        print(os.getsid(0) == os.getpid() == os.getpgrp())
        print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    """
    # A worker may well run with signals blocked in its threads, and with files open.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        with open(tmp_path / "open", "w") as file:
            os.set_inheritable(file.fileno(), True)
            outcome = run(tmp_path, *python(looks))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert outcome.tail.splitlines() == ["[]", "True", "[]"]


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGXFSZ"])
def test_no_signal_is_ignored_from_the_start(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name].value  # Python and the guard ignore these; exec would pass it on
    outcome = run(tmp_path, "sh", "-c", f"kill -{number} $$; echo ignored")
    assert (outcome.signal, outcome.tail) == (number, "")


@pytest.mark.parametrize("exits", [0, 5])
def test_a_daemon_that_goes_on_writing_is_gone_when_the_run_returns(
    tmp_path: Path, exits: int
) -> None:
    outcome = run(tmp_path, *python(f"{DAEMON}    sys.exit({exits})"), grace=0.2)
    written = (tmp_path / "tree" / "daemon").read_text()
    assert (outcome.reason, outcome.status, outcome.left) == (Ending.FINISHED, exits, 0)
    assert existing(recorded(tmp_path / "tree" / "daemon")) == set()
    assert (tmp_path / "tree" / "daemon").read_text() == written


def test_hundreds_of_stubborn_orphans_are_ended(tmp_path: Path) -> None:
    storm = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready, told = os.pipe()
        for number in range(200):
            if os.fork() == 0:
                if number % 2:
                    os.setsid()
                if os.fork() == 0:
                    with open("pids", "a") as file:
                        file.write(f"{os.getpid()}\\n")
                    os.write(told, b"x")
                    time.sleep(1000)
                os._exit(0)
            os.wait()
        for _ in range(200):
            os.read(ready, 1)
    """
    outcome = run(tmp_path, *python(storm), grace=0.1)
    assert (outcome.reason, outcome.status, outcome.left) == (Ending.FINISHED, 0, 0)
    pids = recorded(tmp_path / "tree" / "pids")
    assert len(pids) == 200
    assert existing(pids) == set()


def test_one_that_forks_away_from_every_signal_is_caught(tmp_path: Path) -> None:
    # Each generation lives for a moment, in a session of its own, and starts the next.
    runner = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            for generation in range(20000):
                os.setsid()
                with open("pids", "a") as file:
                    file.write(f"{os.getpid()}\\n")
                time.sleep(0.002)
                if os.fork():
                    os._exit(0)
        while not os.path.exists("pids"):
            time.sleep(0.01)
    """
    outcome = run(tmp_path, *python(runner), grace=0.1)
    assert (outcome.reason, outcome.left) == (Ending.FINISHED, 0)
    pids = recorded(tmp_path / "tree" / "pids")
    assert 0 < len(pids) < 20000
    assert existing(pids) == set()


def test_one_that_deletes_its_worktree(tmp_path: Path) -> None:
    outcome = run(tmp_path, "sh", "-c", 'rm -rf "$PWD"; echo gone')
    assert (outcome.succeeded, outcome.tail) == (True, "gone\n")
    assert not (tmp_path / "tree").exists()


# --- output


def test_a_flood_neither_blocks_nor_fills_the_disk(tmp_path: Path) -> None:
    flood = "echo first; head -c 200000000 /dev/zero | tr '\\0' 'x'; echo; echo last"
    outcome = run(tmp_path, "sh", "-c", flood, cap=2**20)
    log = (tmp_path / "logs" / "agent.log").read_bytes()
    assert outcome.succeeded
    assert len(log) <= 2**20
    assert log.startswith(b"first\nxxx")
    assert log.endswith(b"xxx\nlast\n")
    sent = 200_000_000 + len(b"first\n\nlast\n")
    assert len(log) - len(dropped_line(outcome.dropped)) + outcome.dropped == sent
    assert outcome.tail == "last\n"


def test_the_log_can_be_read_while_the_agent_runs(tmp_path: Path) -> None:
    seen: list[str] = []

    def look(line: str) -> None:
        seen.append((tmp_path / "logs" / "agent.log").read_text())
        (tmp_path / "tree" / "go").touch()

    wait = "echo working; while [ ! -e go ]; do sleep 0.01; done"
    outcome = run(tmp_path, "sh", "-c", wait, listener=look)
    assert outcome.succeeded
    assert seen == ["working\n"]


def test_a_log_that_cannot_be_written_does_not_stop_the_agent(tmp_path: Path) -> None:
    chatter = "head -c 1000000 /dev/zero; echo; echo done"
    outcome = run(tmp_path, "sh", "-c", chatter, log=tmp_path)
    assert outcome.succeeded
    assert outcome.tail.endswith("done\n")
    assert "log could not be written" in outcome.detail


def test_a_listener_that_fails_leaves_no_process_behind(tmp_path: Path) -> None:
    def fail(line: str) -> None:
        raise LookupError(line)

    stubborn = "trap '' TERM; echo $$ > pid; echo hello; while :; do sleep 0.1; echo more; done"
    with pytest.raises(LookupError, match="hello"):
        run(tmp_path, "sh", "-c", stubborn, listener=fail, grace=0.1)
    assert existing(recorded(tmp_path / "tree" / "pid")) == set()


# --- being ended


def timed_out(tmp_path: Path, *argv: str, **settings: object) -> AgentOutcome:
    """Run with a timeout of an hour that passes when the agent prints ``ready``."""
    clock = ManualClock()
    return run_agent(
        spec(tmp_path, *argv, timeout=3600.0, **settings),
        clock=clock,
        listener=lambda line: clock.advance(3600) if line == "ready" else None,
    )


def test_one_that_takes_too_long_is_asked_to_end(tmp_path: Path) -> None:
    polite = """
        import os, signal, sys, time
        def save(*_):
            os.write(1, b"saved\\n")
            os._exit(7)
        signal.signal(signal.SIGTERM, save)
        os.write(1, b"ready\\n")
        time.sleep(1000)
    """
    outcome = timed_out(tmp_path, *python(polite))
    assert (outcome.reason, outcome.status) == (Ending.TIMED_OUT, 7)
    assert outcome.tail.splitlines() == ["ready", "saved"]
    assert outcome.seconds == 3600


def test_one_that_ignores_the_request_is_killed_with_all_its_children(tmp_path: Path) -> None:
    stubborn = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.fork(), os.fork()
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n")
        while len(open("pids").readlines()) < 4:
            time.sleep(0.01)
        os.write(1, b"ready\\n")
        time.sleep(1000)
    """
    outcome = timed_out(tmp_path, *python(stubborn), grace=0.2)
    assert (outcome.reason, outcome.signal) == (Ending.TIMED_OUT, signal.SIGKILL)
    assert len(recorded(tmp_path / "tree" / "pids")) == 4
    assert existing(recorded(tmp_path / "tree" / "pids")) == set()


def test_one_that_is_stopped_can_still_be_ended(tmp_path: Path) -> None:
    outcome = timed_out(tmp_path, "sh", "-c", "echo ready; kill -STOP $$")
    assert (outcome.reason, outcome.signal) == (Ending.TIMED_OUT, signal.SIGTERM)


def test_an_agent_that_ended_in_time_is_not_timed_out_by_what_it_left(tmp_path: Path) -> None:
    leaves = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        agent = os.getpid()
        if os.fork() == 0:
            while os.getppid() == agent:
                time.sleep(0.01)
            print("ready")
            time.sleep(1000)
    """
    outcome = timed_out(tmp_path, *python(leaves), grace=2.0)
    assert outcome.seconds == 3600
    assert outcome.succeeded


def test_a_run_can_be_stopped_from_outside(tmp_path: Path) -> None:
    started = threading.Event()
    agent = AgentRun(
        spec(tmp_path, "sh", "-c", "echo ready; exec sleep 1000"),
        clock=SystemClock(),
        listener=lambda line: started.set(),
    )
    outcomes: list[AgentOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(agent.run()))
    thread.start()
    assert started.wait(PATIENCE)
    agent.stop("the claim was lost")
    thread.join(PATIENCE)
    assert [o.summary for o in outcomes] == ["stopped: the claim was lost"]
    assert outcomes[0].signal == signal.SIGTERM


def test_a_stop_can_be_hurried(tmp_path: Path) -> None:
    begun = SystemClock().elapsed()
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    agent = AgentRun(
        spec(tmp_path, "sh", "-c", stubborn, grace=10 * PATIENCE),
        clock=SystemClock(),
        listener=lambda line: agent.stop("first ^C") or agent.stop("second ^C", now=True),  # type: ignore[func-returns-value]
    )
    outcome = agent.run()
    assert (outcome.reason, outcome.signal) == (Ending.STOPPED, signal.SIGKILL)
    assert outcome.detail == "first ^C"
    assert SystemClock().elapsed() - begun < PATIENCE


def test_a_callback_can_stop_it(tmp_path: Path) -> None:
    asked: list[str] = []
    outcome = run(
        tmp_path,
        *("sh", "-c", "echo ready; sleep 1000"),
        listener=asked.append,
        should_stop=lambda: "shutting down" if asked else None,
    )
    assert outcome.summary == "stopped: shutting down"


def test_one_that_is_stopped_before_it_starts_is_not_started(tmp_path: Path) -> None:
    agent = AgentRun(spec(tmp_path, "touch", "started"), clock=SystemClock())
    agent.stop("too late")
    assert agent.run().summary == "stopped: too late"
    assert not (tmp_path / "tree" / "started").exists()


# --- what cannot be started


def script(tmp_path: Path, text: str, mode: int) -> str:
    path = tmp_path / "agent"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_program_that_cannot_be_run_is_an_outcome_that_says_why(tmp_path: Path) -> None:
    cases = {
        ("no-such-agent-anywhere",): "no such program",
        (script(tmp_path, "#!/bin/sh\n", 0o644),): "Permission denied",
        (str(tmp_path),): "Permission denied",
        ("echo", "x" * 200_000): "Argument list too long",
        ("echo", "a\0b"): "null byte",
    }
    for argv, why in cases.items():
        outcome = run(tmp_path, *argv)
        assert (outcome.reason, outcome.status) == (Ending.NOT_STARTED, None), argv
        assert why in outcome.detail
        assert not outcome.succeeded
    assert "echo" in run(tmp_path, "echo", "a\0b").detail


def test_a_script_whose_interpreter_is_missing(tmp_path: Path) -> None:
    outcome = run(tmp_path, script(tmp_path, "#!/no/such/interpreter\n", 0o755))
    assert outcome.reason is Ending.NOT_STARTED
    assert "interpreter" in outcome.detail


def test_a_script_that_names_no_interpreter(tmp_path: Path) -> None:
    outcome = run(tmp_path, script(tmp_path, "echo hello\n", 0o755))
    assert outcome.reason is Ending.NOT_STARTED
    assert "format" in outcome.detail


def test_a_missing_worktree(tmp_path: Path) -> None:
    outcome = run(tmp_path, "true", cwd=tmp_path / "gone")
    assert outcome.reason is Ending.NOT_STARTED
    assert str(tmp_path / "gone") in outcome.detail


# --- many at once


def test_sixteen_runs_in_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    outcomes: dict[int, AgentOutcome] = {}

    def work(number: int) -> None:
        mine = tmp_path / str(number)
        mine.mkdir()
        outcomes[number] = run(mine, "sh", "-c", f"echo {number}; sleep 0.1; exit {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert {n: (o.status, o.tail) for n, o in outcomes.items()} == {
        n: (n, f"{n}\n") for n in range(16)
    }


def test_no_descriptor_is_leaked(tmp_path: Path) -> None:
    run(tmp_path, "true")
    before = psutil.Process().num_fds()
    for argv in (("true",), ("no-such-agent-anywhere",), ("echo", "a\0b")):
        run(tmp_path, *argv)
    assert psutil.Process().num_fds() == before
