"""Answers to messages that are about no task: the agent is asked, in a scratch copy of the project.

A message never lands anything: what the agent changes there is thrown away, and it has no claim.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, ClaimLost, RemoteUnreachable
from gitbaton.core.ids import new_nonce
from gitbaton.git.worktrees import Worktrees
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.model import Message
from gitbaton.serving.question import build_question
from gitbaton.work.agent import AgentRun, AgentSpec
from gitbaton.work.command import fill
from gitbaton.work.crew import Crew
from gitbaton.work.environment import agent_environment
from gitbaton.work.outcome import AgentOutcome, Ending

_PAUSE: Final = 30.0  # seconds until the next try when the remote could not be asked
_AGAIN: Final = 5.0  # the same for a renewal that failed


class Errands:
    """Runs the agent of a crew on messages. Called from slots, each in a thread of its own."""

    def __init__(
        self, crew: Crew, inbox: Inbox, worker: str, stopping: Callable[[], str | None]
    ) -> None:
        """``stopping``: why the agents have to end now; None: they have not."""
        self._crew, self._inbox, self._worker = crew, inbox, worker
        self._stopping = stopping
        self._resume = crew.clock.elapsed()

    @property
    def possible(self) -> bool:
        """Whether there is any use in trying now."""
        return self._crew.clock.elapsed() >= self._resume

    def run(self, message: Message, slot: int) -> None:
        """Ask the agent and answer with the last that it printed, or with how it ended.

        Stopped, or while the remote is away: the message is given back, for later or for others.
        """
        crew, hold = self._crew, _Hold(self._inbox, message, self._crew.clock, self._stopping)
        name = message_name(message)
        crew.tell("working", f"answers {message.delivery.sender}", slot=slot)
        try:
            outcome = self._ask(hold, name, slot)
            if outcome.reason is Ending.STOPPED:
                self._inbox.release(hold.message)
                return
            self._inbox.answer(hold.message, answer_text(outcome))
        except ClaimLost as lost:
            crew.tell("notice", f"an answer is dropped: {lost.message}", slot=slot)
        except RemoteUnreachable as away:
            self._resume = crew.clock.elapsed() + _PAUSE
            self._give_back(hold, f"a message waits: {away.message}", slot)
        except BatonError as error:
            self._excuse(hold, error, slot)
        except OSError as error:
            self._resume = crew.clock.elapsed() + _PAUSE
            self._give_back(hold, f"a message waits: {error.filename}: {error.strerror}", slot)
        except Exception as bug:  # noqa: BLE001 - the end of this thread
            self._excuse(
                hold,
                BatonError(f"a bug in baton: {type(bug).__name__}: {bug}", next="baton doctor"),
                slot,
            )

    def _ask(self, hold: _Hold, name: str, slot: int) -> AgentOutcome:
        crew, orders = self._crew, self._crew.orders
        tip = crew.upstream.tip(orders.target)
        if tip is None:
            raise BatonError(
                f"the target branch {orders.target!r} is not on the remote", next="baton doctor"
            )
        prompt_file, log = crew.prompts / f"{name}.md", crew.logs / f"{name}.log"
        try:
            with Worktrees(crew.repository).scratch(tip) as git:
                spec = self._spec(hold.message, git.directory, prompt_file, log, slot)
                return AgentRun(spec, clock=crew.clock, should_stop=hold.check).run()
        finally:
            prompt_file.unlink(missing_ok=True)
            log.unlink(missing_ok=True)

    def _spec(
        self, message: Message, worktree: Path, prompt_file: Path, log: Path, slot: int
    ) -> AgentSpec:
        crew, orders = self._crew, self._crew.orders
        prompt = build_question(message.delivery.sender, message.text)
        prompt_file.parent.mkdir(parents=True, exist_ok=True)
        prompt_file.write_text(prompt, encoding="utf-8")
        values = {
            "prompt": prompt,
            "prompt_file": str(prompt_file),
            "worktree": str(worktree),
            "task": "",
        }
        return AgentSpec(
            argv=tuple(fill(orders.profile.words, values)),
            cwd=worktree,
            env=agent_environment(
                crew.env,
                task="",
                token="",
                epoch=0,
                agent=f"{self._worker}#{slot}",
                worktree=worktree,
                prompt_file=prompt_file,
                slot=slot - 1,
                port_base=orders.port_base,
                mark=new_nonce(),
                extra=orders.profile.env,
            ),
            log=log,
            timeout=orders.timeout,
            grace=orders.grace,
            cap=orders.output_cap,
        )

    def _excuse(self, hold: _Hold, error: BatonError, slot: int) -> None:
        """Answer that it cannot be answered, and why."""
        try:
            self._inbox.answer(hold.message, f"no answer: {error.message}")
        except BatonError as other:
            self._crew.tell("notice", f"a message was not answered: {other.message}", slot=slot)

    def _give_back(self, hold: _Hold, why: str, slot: int) -> None:
        self._crew.tell("notice", why, slot=slot)
        try:
            self._inbox.release(hold.message)
        except BatonError as error:
            self._crew.tell("notice", f"its delivery will run out: {error.message}", slot=slot)


class _Hold:
    """A message in our hands, for as long as somebody asks ``check`` now and then."""

    def __init__(
        self, inbox: Inbox, message: Message, clock: Clock, stopping: Callable[[], str | None]
    ) -> None:
        self.message = message
        self._inbox, self._clock, self._stopping = inbox, clock, stopping
        self._due = clock.elapsed() + message.hold.lease / 3

    def check(self) -> str | None:
        """Renew if it is time; return why the work on it has to end, if it has."""
        if self._clock.elapsed() >= self._due:
            try:
                self.message = self._inbox.renew(self.message)
                self._due = self._clock.elapsed() + self.message.hold.lease / 3
            except ClaimLost as lost:
                return lost.message
            except BatonError:
                self._due = self._clock.elapsed() + _AGAIN
        return self._stopping()


def message_name(message: Message) -> str:
    """Return what a message is called among the things that a worker does."""
    return f"message-{message.handle[:12]}"


def answer_text(outcome: AgentOutcome) -> str:
    """Return the response: the last that the agent printed, or how it ended (pure)."""
    said = outcome.tail.strip()
    if outcome.succeeded:
        return said or outcome.summary
    return f"{outcome.summary}\n{said}".rstrip()
