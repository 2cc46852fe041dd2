"""The guard: the parent of one agent, and the end of everything that the agent started.

Run as ``python -I -S guard.py REPORT_FD GRACE MODE PROGRAM ARGUMENT...`` with standard input as
the control pipe. Standard library only, and little of it: it starts in a few tens of ms, and it
uses nothing that could be half updated while agents run.

The agent runs in a session of its own, reads /dev/null, and writes to the guard's output. When it
ends, or the worker says so, or the worker dies (the control pipe closes, even after SIGKILL), every
descendant gets TERM, after GRACE seconds KILL, until none is left. Only then is the end reported,
so nothing edits the worktree afterwards.

Control, one byte each: ``T`` end it (as does closing the pipe), ``K`` end it without grace.
Report, one line each: ``started PID``, or ``failed ERRNO``; then
``ended exit|signal NUMBER ordered 0|1 left COUNT``. ``ordered 1``: the agent was still running
when it was told to end. ``left``: processes that survived KILL for a minute (stuck in the kernel,
or another user's).

How sure it is:
- Linux, MODE ``subreaper``: prctl(2) PR_SET_CHILD_SUBREAPER makes orphans children of the guard, so
  a double fork with setsid does not escape, and "no children" means exactly "nothing left".
- Elsewhere (MODE ``plain``): what is still a descendant, and what has this claim's mark
  (BATON_CLAIM_MARK) in its environment. A daemon that clears its environment escapes.
- A guard killed with SIGKILL can end nothing. On Linux the agent's main process then gets KILL
  (PR_SET_PDEATHSIG), but what that one started does not, and a set-user-id agent loses the setting
  at exec. ``strays`` ends such orphans by their mark.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

MARK = "BATON_CLAIM_MARK"
CONTROL = 0
STUBBORN = 60.0  # seconds of KILL after which what is left is reported instead of waited for

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# Python ignores these two; an ignored signal stays ignored across exec.
_DEFAULTED = (*_IGNORED, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)

Row = tuple[int, int, int, bool]  # process, parent, process group, has the mark


class Guard:
    """One agent, its descendants, and the pipes to the worker."""

    def __init__(self, report: int, grace: float, mark: str | None) -> None:
        self.report = report
        self.grace = grace
        self.mark = mark  # None: a subreaper, which needs no marks
        self.agent = 0
        self.status: int | None = None
        self.order = b""  # what the worker said: nothing, T or K
        self.listening = True
        self.wake, self._alarm = os.pipe()
        for end in (self.wake, self._alarm):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # set_wakeup_fd needs a handler
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)

    def run(self, words: list[str]) -> None:
        """Start the agent, wait for its end or for an order, end what is left, report."""
        error = self.start(words)
        if error:
            self.tell(f"failed {error}")
            return
        self.tell(f"started {self.agent}")
        while self.reap() and self.status is None and not self.order:
            self.doze(None)
        ordered = int(self.status is None)
        left = self.end_all()
        if self.status is None:  # stuck in the kernel: there is no status to give
            self.status = signal.SIGKILL
        how, number = (
            ("signal", os.WTERMSIG(self.status))
            if os.WIFSIGNALED(self.status)
            else ("exit", os.WEXITSTATUS(self.status))
        )
        self.tell(f"ended {how} {number} ordered {ordered} left {left}")

    def start(self, words: list[str]) -> int:
        """Start the agent; return 0, or the errno of a program that cannot be run."""
        trouble, told = os.pipe()  # closed by a successful exec
        guard = os.getpid()
        self.agent = os.fork()
        if not self.agent:
            try:
                become(words, guard)
            except OSError as error:
                os.write(told, str(error.errno).encode())
            finally:
                os._exit(127)
        os.close(told)
        with os.fdopen(trouble, "rb") as answer:
            return int(answer.read() or b"0")

    def reap(self) -> bool:
        """Collect every dead child; return whether anything is left to wait for."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return self.mark is not None and bool(self.descendants())
            if pid == 0:
                return True
            if pid == self.agent:
                self.status = status

    def descendants(self) -> list[Row]:
        """Return the living processes that come from this agent."""
        return family(process_table(self.mark), os.getpid())

    def end_all(self) -> int:
        """End every descendant: TERM, the grace period, KILL. Return how many would not die."""
        begun = time.monotonic()
        hurried: float | None = None
        asked: set[int] = set()
        pause = 0.005
        while self.reap():
            now = time.monotonic()
            if hurried is None and (self.order == b"K" or now - begun >= self.grace):
                hurried = now
            rows = self.descendants()
            if hurried is None:
                new = {row[0] for row in rows} - asked
                ask(new)
                asked |= new
            elif now - hurried > STUBBORN:
                return len(rows)
            else:
                kill(rows)
            # A grandchild's death does not wake the guard, so it also looks by itself.
            self.doze(pause)
            pause = min(2 * pause, 0.1)
        return 0

    def doze(self, seconds: float | None) -> None:
        """Wait for a child's death, a word from the worker, or ``seconds``."""
        sources = [self.wake, CONTROL] if self.listening else [self.wake]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self.wake in ready:
            os.read(self.wake, 4096)
        if CONTROL in ready:
            heard = os.read(CONTROL, 64)
            self.listening = bool(heard)
            self.order = b"K" if b"K" in heard or self.order == b"K" else b"T"

    def tell(self, line: str) -> None:
        """Report to the worker, if it still lives."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.report, f"{line}\n".encode())


def become(words: list[str], guard: int) -> None:
    """In the new process: turn into the agent. Raises OSError if the program cannot be run."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in _DEFAULTED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:  # it died before the line above
        os._exit(127)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execvp(words[0], words)


def family(table: list[Row], root: int) -> list[Row]:
    """Return the rows of ``table`` that descend from ``root`` or have the mark, without it."""
    children: dict[int, list[Row]] = {}
    for row in table:
        children.setdefault(row[1], []).append(row)
    found: dict[int, Row] = {}
    waiting = children.get(root, []) + [row for row in table if row[3]]
    while waiting:
        row = waiting.pop()
        if row[0] not in found and row[0] != root:
            found[row[0]] = row
            waiting += children.get(row[0], [])
    return list(found.values())


def process_table(mark: str | None) -> list[Row]:
    """Return the living processes. Whether they have ``mark`` is looked up unless it is None."""
    if not os.path.exists("/proc/self/stat"):
        return ps_table(mark)
    rows = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # proc(5): the name in parentheses may itself contain spaces and parentheses.
                    state, parent, group = file.read().rpartition(b")")[2].split()[:3]
                marked = mark is not None and state != b"Z" and has_mark(name, mark)
            except OSError:  # it has gone meanwhile, or is not ours
                continue
            if state not in (b"Z", b"X"):
                rows.append((int(name), int(parent), int(group), marked))
    return rows


def has_mark(pid: str, mark: str) -> bool:
    """Tell whether the process was started with ``mark`` in its environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except PermissionError:
        return False


def ps_table(mark: str | None) -> list[Row]:
    """Return what ``process_table`` does where there is no /proc: macOS and the BSDs."""
    import subprocess  # slow to import, and needed only here

    words = ["ps", "-axwwE", "-o", "pid=,ppid=,pgid=,stat=,command="]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as ps:
        shown, _ = ps.communicate()
    # ps sees itself: a child of the guard, with the guard's environment.
    return [row for row in parse_ps(shown.decode(errors="replace"), mark) if row[0] != ps.pid]


def parse_ps(text: str, mark: str | None) -> list[Row]:
    """Read ``pid ppid pgid stat command-and-environment`` lines; zombies are left out."""
    rows = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 4 and not words[3].startswith("Z"):
            marked = mark is not None and f"{MARK}={mark}" in words[4:]
            rows.append((int(words[0]), int(words[1]), int(words[2]), marked))
    return rows


def ask(pids: set[int]) -> None:
    """Send TERM to each process, and CONT in case it is stopped and could not obey."""
    for pid in pids:
        send(pid, signal.SIGTERM)
        send(pid, signal.SIGCONT)


def kill(rows: list[Row]) -> None:
    """Send KILL to the processes and to their groups.

    A group is signalled at once for all members: a fork cannot slip through, as it can between
    two looks at the process table. All of a descendant's group are descendants, because the agent
    got a session of its own; only the guard's own group is spared.
    """
    for group in {row[2] for row in rows} - {os.getpgrp(), 0}:
        send(-group, signal.SIGKILL)
    for pid, *_ in rows:
        send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> None:
    """Send a signal; what is gone already or belongs to another user is passed over."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def prctl(option: int, value: int) -> bool:
    """Call Linux's prctl(2); return whether that worked (never elsewhere)."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes
    except ImportError:  # a Python built without libffi
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def main(arguments: list[str]) -> None:
    """Run as a program. Signals meant for the worker's group must not end the guard early."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    report, grace, mode, *words = arguments
    os.set_inheritable(int(report), False)
    sure = mode == "subreaper" and prctl(_PR_SET_CHILD_SUBREAPER, 1)
    Guard(int(report), float(grace), None if sure else os.environ.get(MARK, "")).run(words)


if __name__ == "__main__":
    main(sys.argv[1:])
