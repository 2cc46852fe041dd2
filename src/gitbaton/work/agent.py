"""Running one agent to its end, whatever it does meanwhile."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.git.sharing import users_umask
from gitbaton.work.outcome import AgentOutcome, Ending
from gitbaton.work.output import DEFAULT_CAP, CappedLog, Lines
from gitbaton.work.strays import MARK, end_strays

_GUARD: Final = Path(__file__).with_name("guard.py")
_LOOK: Final = 0.2  # seconds between looks at the clock and at requests to stop
_CHUNK: Final = 65536
_LAST_READS: Final = 64  # more than any pipe holds; whoever still writes then is not waited for


Verdict: TypeAlias = tuple[Ending, str]
"""Why a run has to end, and the reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """What to run. Durations in seconds, ``cap`` in bytes.

    ``env`` is the whole environment (see ``environment.agent_environment``). ``grace`` lies
    between TERM and KILL. ``log`` is created anew, with its directory.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    timeout: float | None = None
    grace: float = 10.0
    cap: int = DEFAULT_CAP


class AgentRun:
    """One run of one agent. ``run`` is called once; ``stop`` from any thread, at any time."""

    def __init__(
        self,
        spec: AgentSpec,
        *,
        clock: Clock,
        listener: Callable[[str], None] | None = None,
        should_stop: Callable[[], str | None] | None = None,
    ) -> None:
        """Prepare the run. Nothing is started yet.

        ``listener`` gets each line of output, in ``run``'s thread. ``should_stop`` is asked about
        five times a second, there too: a text is the reason to stop.
        """
        self._spec = spec
        self._clock = clock
        self._listener = listener
        self._should_stop = should_stop or (lambda: None)
        self._lock = threading.Lock()
        self._asked: str | None = None
        self._now = False
        self._begun = 0.0
        self._log: CappedLog
        self._lines = Lines()

    def stop(self, reason: str, *, now: bool = False) -> None:
        """Ask for the end: TERM, then KILL after the grace period; with ``now`` KILL at once.

        Returns immediately; ``run`` returns when nothing of the agent is left.
        """
        with self._lock:
            self._asked = self._asked or reason
            self._now = self._now or now

    def run(self) -> AgentOutcome:
        """Start the agent and return when it and everything that it started has ended.

        Whatever goes wrong with the agent is an outcome, not an exception. An exception (of the
        listener, say) leaves no process behind.
        """
        self._begun = self._clock.elapsed()
        self._log = CappedLog(self._spec.log, cap=self._spec.cap)
        try:
            verdict = self._verdict()
            return self._outcome(*verdict) if verdict else self._supervise()
        finally:
            self._log.close()

    def _supervise(self) -> AgentOutcome:
        control_out, control = os.pipe()
        output, output_in = os.pipe()
        report, report_in = os.pipe()
        grace = str(self._spec.grace)
        words = [sys.executable, "-I", "-S", str(_GUARD), str(report_in), grace, "subreaper"]
        try:
            # No preexec_fn: the worker has threads. The guard does what must be done in between.
            guard = subprocess.Popen(
                [*words, *self._spec.argv],
                cwd=self._spec.cwd,
                env=dict(self._spec.env),
                stdin=control_out,
                stdout=output_in,
                stderr=subprocess.STDOUT,
                pass_fds=(report_in,),
                umask=users_umask(),
                start_new_session=True,  # ^C in the worker's terminal is the worker's business
            )
        except (OSError, ValueError) as error:  # no such directory; NUL or too much in argv or env
            for end in (control, output, report):
                os.close(end)
            return self._outcome(Ending.NOT_STARTED, _explain(error, self._spec))
        finally:
            for end in (control_out, output_in, report_in):
                os.close(end)
        try:
            said, verdict = self._attend(control, output, report)
            return self._conclude(said, verdict, output)
        finally:
            os.close(control)  # the guard ends the agent when it sees this
            guard.wait()
            os.close(output)
            os.close(report)

    def _attend(self, control: int, output: int, report: int) -> tuple[str, Verdict | None]:
        """Read until the guard has gone; return its report and why it was told to end, if it was.

        The end of the output is no sign: a process that escaped a killed guard may hold it open.
        """
        os.set_blocking(output, False)
        said, sent = b"", b""
        verdict: Verdict | None = None
        with selectors.DefaultSelector() as sources:
            for end in (output, report):
                sources.register(end, selectors.EVENT_READ)
            while report in sources.get_map():
                ready = {key.fd for key, _ in sources.select(_LOOK)}
                if output in ready and not self._read(output):
                    sources.unregister(output)
                if report in ready:
                    part = os.read(report, _CHUNK)
                    said += part
                    if not part:
                        sources.unregister(report)
                verdict = verdict or self._verdict()
                order = (b"K" if self._now else b"T") if verdict else b""
                if order != sent:
                    _say(control, order)
                    sent = order
        return said.decode(), verdict

    def _verdict(self) -> Verdict | None:
        """Return why the agent has to end now, if it has."""
        asked = self._asked or self._should_stop()
        if asked is not None:
            return Ending.STOPPED, asked
        timeout = self._spec.timeout
        if timeout is not None and self._clock.elapsed() - self._begun >= timeout:
            return Ending.TIMED_OUT, ""
        return None

    def _read(self, output: int) -> bool:
        """Take what can be read now; return whether there may be more."""
        try:
            data = os.read(output, _CHUNK)
        except BlockingIOError:
            return False
        self._hear(data)
        return bool(data)

    def _hear(self, data: bytes, *, final: bool = False) -> None:
        self._log.write(data)
        if self._listener is not None:
            for line in self._lines.feed(data, final=final):
                self._listener(line)

    def _conclude(self, said: str, verdict: Verdict | None, output: int) -> AgentOutcome:
        facts = said.split()
        failed, ended = facts[:1] == ["failed"], "ended" in facts
        left = 0
        if not failed and not ended:
            # The guard was killed from outside and could end nothing. Do it in its place.
            mark, grace = self._spec.env.get(MARK, ""), self._spec.grace
            left = len(end_strays(mark, grace=grace, clock=self._clock).left)
        for _ in range(_LAST_READS):
            if not self._read(output):
                break
        self._hear(b"", final=True)
        if failed:
            error = OSError(int(facts[1]), os.strerror(int(facts[1])))
            return self._outcome(Ending.NOT_STARTED, _explain(error, self._spec))
        if not ended:
            return self._outcome(Ending.LOST, verdict[1] if verdict else "", left=left)
        how, number, _, ordered, _, alive = facts[facts.index("ended") + 1 :]
        reason, detail = verdict if verdict and ordered == "1" else (Ending.FINISHED, "")
        return self._outcome(
            reason,
            detail,
            status=int(number) if how == "exit" else None,
            signal=int(number) if how == "signal" else None,
            left=int(alive),
        )

    def _outcome(
        self,
        reason: Ending,
        detail: str,
        *,
        status: int | None = None,
        signal: int | None = None,
        left: int = 0,
    ) -> AgentOutcome:
        notes = [detail, self._log.error or ""]
        return AgentOutcome(
            reason=reason,
            status=status,
            signal=signal,
            detail="; ".join(note for note in notes if note),
            tail=self._log.tail(),
            seconds=self._clock.elapsed() - self._begun,
            dropped=self._log.dropped,
            left=left,
        )


def run_agent(
    spec: AgentSpec,
    *,
    clock: Clock,
    listener: Callable[[str], None] | None = None,
    should_stop: Callable[[], str | None] | None = None,
) -> AgentOutcome:
    """Run an agent to its end. See ``AgentRun``, which can also be stopped from outside."""
    return AgentRun(spec, clock=clock, listener=listener, should_stop=should_stop).run()


def _say(control: int, order: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # it has just gone
        os.write(control, order)


def _explain(error: Exception, spec: AgentSpec) -> str:
    if not os.path.isdir(spec.cwd):
        return f"there is no directory {spec.cwd}"
    if isinstance(error, FileNotFoundError):
        return f"{spec.argv[0]}: no such program (or the interpreter that it names is missing)"
    return f"{spec.argv[0]}: {error.strerror if isinstance(error, OSError) else error}"
