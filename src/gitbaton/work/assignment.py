"""One claim, from its worktree to its landing. Whatever happens, the work is not lost (I3).

    prepare -> set up -> run the agent -> commit what it left -> check -> land -> clear away

Every way out ends the claim (landed, failed, blocked, released; or it was lost), saves what did
not land to a rescue ref, and removes the worktree only if nothing in it is unique.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GateClosed,
    HostRefused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.store.model import Actor
from gitbaton.tasks.claims import ended_by
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Claimed
from gitbaton.work.agent import AgentRun, AgentSpec
from gitbaton.work.checks import Interrupted
from gitbaton.work.command import fill
from gitbaton.work.crew import Crew
from gitbaton.work.environment import agent_environment
from gitbaton.work.events import Kind
from gitbaton.work.integrate import IntegrationConflict
from gitbaton.work.job import LandJob
from gitbaton.work.landing import ChecksFailed, LandingLost
from gitbaton.work.leftovers import Leftovers, save_leftovers
from gitbaton.work.outbox import Kind as Word
from gitbaton.work.outcome import AgentOutcome, Ending
from gitbaton.work.prompt import build_prompt
from gitbaton.work.rescue import Rescued
from gitbaton.work.salvage import assess, remove, rescue_commit
from gitbaton.work.worktree import ClaimWorktree, Need, NeedConflict


class AttemptFailed(BatonError):
    """This attempt at the task did not succeed; the reason goes into the next one's prompt."""

    code = "attempt_failed"


class Assignment:
    """Works on one claim in one slot. ``run`` is called once, in a thread of its own."""

    def __init__(
        self, crew: Crew, claimed: Claimed, slot: int, should_stop: Callable[[], str | None]
    ) -> None:
        self._crew = crew
        self._task = claimed.task
        self._token = claimed.token
        self._slot = slot
        self._stopping = should_stop
        claim = claimed.task.claim
        assert claim is not None, "a task just claimed has its claim"
        self._claim = claim
        self._actor = Actor(claim.agent)
        self._published: set[Oid] = set()  # what is safe elsewhere, or landed in other words
        self._reason = "not landed"

    @property
    def name(self) -> str:
        """The name of this claim's files: ``<task>-e<epoch>``."""
        return f"{self._task.id}-e{self._token.epoch}"

    @property
    def log(self) -> Path:
        """Where the agent's output goes."""
        return self._crew.logs / f"{self.name}.log"

    def run(self) -> bool:
        """Do it, and return whether the task was finished, published or given to a person."""
        self._crew.hearts.add(self._token, self._claim.lease)
        worktree: ClaimWorktree | None = None
        good = keep_beating = False
        try:
            worktree = self._prepare()
            good, keep_beating = self._work(worktree)
        except BatonError as error:
            good = self._end(error)
        except Interrupted as stop:
            good = self._interrupted(stop.reason)
        finally:
            if not keep_beating:
                self._crew.hearts.remove(self._token)
            if worktree is not None:
                self._clear_away(worktree)
        return good

    # --- the steps

    def _prepare(self) -> ClaimWorktree:
        self._say("working", "making the worktree")
        crew, task = self._crew, self._task
        target = task.target or crew.orders.target
        view = crew.queue.view()
        needs = [view.tasks[need] for need in task.needs if need in view.tasks]
        branches = {n.result.branch for n in needs if n.result and n.result.branch}
        tips = crew.upstream.tips({target, *branches})
        base = tips.get(target)
        if base is None:
            raise AttemptFailed(
                f"the target branch {target!r} is not on the remote",
                next=f"git push origin {target}",
            )
        merges = [
            Need(need.id, commit)
            for need in needs
            if (commit := _result(need)) is not None and crew.upstream.has(commit)
        ]
        try:
            return ClaimWorktree.create(
                crew.repository,
                crew.worktrees,
                task=task.id,
                epoch=self._token.epoch,
                nonce=self._token.nonce,
                owner=crew.process,
                base=base,
                needs=merges,
                actor=self._actor,
                clock=crew.clock,
            )
        except NeedConflict as error:
            raise AttemptFailed(error.message, next=error.next) from error

    def _work(self, worktree: ClaimWorktree) -> tuple[bool, bool]:
        """Run, check and land; return (finished, whether the claim must be kept alive)."""
        for note in worktree.record.notes:
            self._say("notice", note)
        env = self._environment(worktree)
        self._run_commands("setup", self._crew.orders.setup, worktree.path, env)
        outcome = self._run_agent(worktree, env)
        self._say("working", "committing what was left")
        message = f"{self._task.title}\n\nWhat the agent left uncommitted."
        left = save_leftovers(worktree, message=message, agent=self._actor, clock=self._crew.clock)
        self._crew.queue.check(self._token)  # the agent may have blocked or ended it itself
        result = self._result(outcome, left)
        checks = (*self._crew.orders.checks, *self._task.checks)
        if left.gone and checks and result is not None:
            raise AttemptFailed("the agent removed its worktree: the checks cannot run")
        self._run_commands("check", checks, worktree.path, _without_token(env))
        return self._land(self._job(worktree, result, checks))

    def _run_agent(self, worktree: ClaimWorktree, env: Mapping[str, str]) -> AgentOutcome:
        crew, task = self._crew, self._task
        self._say("working", f"running {crew.orders.profile.name}", log=str(self.log))
        values = {
            "prompt": self._prompt(worktree),
            "prompt_file": str(self._prompt_file),
            "worktree": str(worktree.path),
            "task": task.id,
        }
        spec = AgentSpec(
            argv=tuple(fill(crew.orders.profile.words, values)),
            cwd=worktree.path,
            env=env,
            log=self.log,
            timeout=task.timeout or crew.orders.timeout,
            grace=crew.orders.grace,
            cap=crew.orders.output_cap,
        )
        listener = (lambda line: self._say("output", line)) if crew.orders.echo else None
        run = AgentRun(spec, clock=crew.clock, listener=listener, should_stop=self._should_stop)
        outcome = run.run()
        if outcome.reason is Ending.STOPPED:
            save_leftovers(
                worktree,
                message=f"{task.title}\n\nStopped before it was finished.",
                agent=self._actor,
                clock=crew.clock,
            )
            raise Interrupted(outcome.detail)
        return outcome

    def _result(self, outcome: AgentOutcome, left: Leftovers) -> Oid | None:
        """Return the commit to land, None for a task done without a change."""
        if not outcome.succeeded:
            self._reason = outcome.summary
            raise AttemptFailed(f"the agent ended with {outcome.summary}\n{outcome.tail}".rstrip())
        if outcome.left:
            raise AttemptFailed(f"{outcome.left} process(es) of the agent could not be ended")
        if left.unfinished:
            raise AttemptFailed(f"the agent left a {left.unfinished} unfinished in its worktree")
        if left.rewritten:
            raise AttemptFailed("the agent rewrote commits that were there before it")
        if left.unsaved:
            raise AttemptFailed(f"files that cannot be read: {', '.join(left.unsaved[:5])}")
        return left.result

    def _land(self, job: LandJob) -> tuple[bool, bool]:
        crew = self._crew
        self._say("working", f"landing ({job.way})")
        if job.commit:
            crew.repository.keep(f"queued/{self.name}", job.commit)
        body = msgspec.to_builtins(job)
        entry = crew.outbox.put("land", self._task.id, body, owner=crew.process)
        try:
            landed = crew.lander.land(job)
        except RemoteUnreachable as error:
            crew.outbox.give_up(entry)
            if job.oid:
                self._published.add(job.oid)  # kept here under refs/kept/queued
            self._say("queued", f"the remote is away, it lands later: {error.message}")
            return True, True
        except BaseException:
            crew.outbox.drop(entry)
            crew.repository.release(f"queued/{self.name}")
            raise
        crew.outbox.drop(entry)
        crew.repository.release(f"queued/{self.name}")
        self._published.update(oid for oid in (job.oid, landed.commit) if oid)
        kind: Kind = "review" if landed.task.status is Status.REVIEW else "landed"
        where = f"on {landed.branch}" if landed.branch else "without a change"
        self._say(kind, where, commit=landed.commit, branch=landed.branch)
        return True, False

    # --- the other ways out

    def _end(self, error: BatonError) -> bool:
        """End the claim after ``error``; return whether the task is in a person's hands."""
        self._reason = error.message.partition("\n")[0]
        queue, token = self._crew.queue, self._token
        try:
            match error:
                case ClaimLost():
                    return self._lost(error)
                case RemoteUnreachable():
                    queue.release(token, f"the remote was away: {self._reason}")
                    self._say("released", self._reason)
                case GateClosed() | HostRefused():
                    queue.block(token, f"it could not land: {error.message}")
                    self._say("blocked", error.message)
                    return True
                case _:
                    if isinstance(error, IntegrationConflict | ChecksFailed | LandingLost):
                        self._say("notice", error.message)
                    queue.fail(token, error.message)
                    self._say("failed", self._reason, log=str(self.log))
        except ClaimLost as lost:
            return self._lost(lost)
        except RemoteUnreachable as away:
            self._queue_end(error, away)
        except BatonError as other:
            self._say("notice", f"the claim could not be ended and will lapse: {other.message}")
        return False

    def _queue_end(self, error: BatonError, away: RemoteUnreachable) -> None:
        word: Word = "fail"
        if isinstance(error, RemoteUnreachable):
            word = "release"
        elif isinstance(error, GateClosed | HostRefused):
            word = "block"
        body = {"token": str(self._token), "reason": error.message}
        self._crew.outbox.put(word, self._task.id, body)
        self._say("queued", f"{word} waits for the remote: {away.message}")

    def _lost(self, error: ClaimLost) -> bool:
        """Tell whether the agent itself ended the claim well, or somebody took it away."""
        try:
            task = self._crew.queue.get(self._task.id)
        except BatonError:
            self._say("lost", error.message)
            return False
        if task.ended is not None and ended_by(task, self._token, task.ended.word):
            word = task.ended.word
            if word in ("done", "block", "release", "fail"):
                kind: Kind = "landed" if word == "done" else _KINDS[word]
                self._say(kind, f"by the agent itself: {task.reason or word}")
                return word in ("done", "block")
        self._say("lost", error.message)
        return False

    def _interrupted(self, reason: str) -> bool:
        self._reason = reason
        lost = self._crew.hearts.lost(self._token)
        if lost is not None:
            return self._lost(ClaimLost(self._task.id, lost))
        try:
            self._crew.queue.release(self._token, reason)
            self._say("released", reason)
        except ClaimLost as error:
            return self._lost(error)
        except RemoteUnreachable:
            body = {"token": str(self._token), "reason": reason}
            self._crew.outbox.put("release", self._task.id, body)
        return False

    def _clear_away(self, worktree: ClaimWorktree) -> None:
        """Save what is unique in the worktree, then remove it; keep it where a commit cannot."""
        crew = self._crew
        try:
            rescued = salvage(
                crew, worktree, self._published, reason=self._reason, actor=self._actor
            )
            if rescued is not None:
                where = "pushed" if rescued.pushed else "kept here until the remote is back"
                self._say("rescued", f"{where}: {self._reason}", commit=rescued.rescue.oid)
        except BatonError as error:
            self._say("kept", error.message)
        except OSError as error:
            self._say("kept", f"{worktree.path}: {error.strerror}")

    # --- what they need

    @property
    def _prompt_file(self) -> Path:
        return self._crew.prompts / f"{self.name}.md"

    def _prompt(self, worktree: ClaimWorktree) -> str:
        target = self._task.target or self._crew.orders.target
        text = build_prompt(self._task, branch=worktree.record.branch, target=target)
        self._prompt_file.parent.mkdir(parents=True, exist_ok=True)
        self._prompt_file.write_text(text, encoding="utf-8")
        return text

    def _environment(self, worktree: ClaimWorktree) -> dict[str, str]:
        return agent_environment(
            self._crew.env,
            task=self._task.id,
            token=str(self._token),
            epoch=self._token.epoch,
            agent=self._claim.agent,
            worktree=worktree.path,
            prompt_file=self._prompt_file,
            slot=self._slot - 1,
            port_base=self._crew.orders.port_base,
            mark=self._token.nonce,
            extra=self._crew.orders.profile.env,
        )

    def _run_commands(
        self, what: str, commands: tuple[str, ...], cwd: Path, env: Mapping[str, str]
    ) -> None:
        if not commands:
            return
        self._say("working", f"running {what}")
        failed = self._crew.commands.run(
            commands,
            name=f"{self.name}.{what}",
            cwd=cwd,
            env=env,
            field=what,
            should_stop=self._should_stop,
        )
        if failed is not None:
            raise AttemptFailed(f"{what} failed: {failed}")

    def _job(self, worktree: ClaimWorktree, result: Oid | None, checks: tuple[str, ...]) -> LandJob:
        orders, task = self._crew.orders, self._task
        changed = result if result != worktree.record.base else None
        return LandJob(
            token=str(self._token),
            agent=self._claim.agent,
            # A result for review is published as a branch: people merge it.
            way="branch" if orders.review else orders.way,
            branch=task.branch or f"{orders.branch_prefix}{task.id}",
            target=task.target or orders.target,
            base=worktree.record.base,
            commit=changed,
            checked=changed,
            checks=checks,
            review=orders.review and changed is not None,
        )

    def _should_stop(self) -> str | None:
        return self._crew.hearts.lost(self._token) or self._stopping()

    def _say(
        self,
        kind: Kind,
        text: str,
        *,
        commit: str | None = None,
        branch: str | None = None,
        log: str | None = None,
    ) -> None:
        self._crew.tell(
            kind,
            text,
            slot=self._slot,
            task=self._task.id,
            epoch=self._token.epoch,
            commit=commit,
            branch=branch,
            log=log,
        )


class Slots:
    """Runs assignments for a worker (``work.worker.Slot``)."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._stop = threading.Event()
        self._why = ""

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Run one claim to its end. Never raises: a bug costs the attempt, not the worker."""
        return Assignment(self._crew, claimed, slot, self._reason).run()

    def stop(self, reason: str) -> None:
        """End every running agent; its work is saved and its task released."""
        self._why = reason
        self._stop.set()

    def _reason(self) -> str | None:
        return self._why if self._stop.is_set() else None


def salvage(
    crew: Crew, worktree: ClaimWorktree, published: set[Oid], *, reason: str, actor: Actor
) -> Rescued | None:
    """Save what only ``worktree`` holds to a rescue ref, then remove it.

    Raises Refused, naming the reasons, when it holds what a commit cannot carry: it is kept.
    """
    record = worktree.record
    patterns = crew.orders.throw_away
    holdings = assess(worktree, published, patterns)
    commit = rescue_commit(worktree, holdings, reason=reason, actor=actor, clock=crew.clock)
    rescued = None
    safe = set(published)
    if commit is not None:
        rescued = crew.rescuer.save(record.task, record.epoch, commit, actor=actor)
        safe.add(commit)
    remove(worktree, safe, patterns)
    return rescued


_KINDS: Mapping[str, Kind] = {"block": "blocked", "release": "released", "fail": "failed"}


def _result(task: Task) -> Oid | None:
    return Oid(task.result.commit) if task.result and task.result.commit else None


def _without_token(env: Mapping[str, str]) -> dict[str, str]:
    """Checks run code of the result: it gets no proof of the claim."""
    return {name: value for name, value in env.items() if name != "BATON_TOKEN"}
