"""One claim, from its worktree to its landing. Whatever happens, the work is not lost (I3).

    prepare -> set up -> run the agent -> commit what it left -> check -> land -> clear away

Every way out ends the claim (landed, failed, blocked, released; or it was lost), saves what did
not land to a rescue ref, and removes the worktree only if nothing in it is unique.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from gitbaton.core.errors import BatonError, GateClosed, HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.deliverables import promised_files
from gitbaton.tasks.model import Status
from gitbaton.work.agent import AgentRun, AgentSpec
from gitbaton.work.checks import Interrupted
from gitbaton.work.clearing import clear_away
from gitbaton.work.command import fill
from gitbaton.work.crew import Crew
from gitbaton.work.ending import (
    AttemptFailed,
    end_claim,
    first_line,
    interrupted_claim,
    refused_landing,
)
from gitbaton.work.environment import agent_environment
from gitbaton.work.events import Kind
from gitbaton.work.job import LandJob
from gitbaton.work.leftovers import Leftovers, save_leftovers
from gitbaton.work.outbox import Entry
from gitbaton.work.outcome import AgentOutcome, Ending
from gitbaton.work.post import Post
from gitbaton.work.preparation import prepare_worktree, reserve_worktree
from gitbaton.work.program import CannotWork, require_program
from gitbaton.work.prompt import build_prompt
from gitbaton.work.record import ClaimRecord
from gitbaton.work.sync import queued_name
from gitbaton.work.verdict import judge_work
from gitbaton.work.worktree import ClaimWorktree, forget_reservation


class Assignment:
    """Works on one claim in one slot. ``run`` is called once, in a thread of its own."""

    def __init__(
        self, crew: Crew, claimed: Claimed, slot: int, should_stop: Callable[[], str | None]
    ) -> None:
        claim = claimed.task.claim
        assert claim is not None, "a task just claimed has its claim"
        self._crew = crew
        self._task = claimed.task
        self._token = claimed.token
        self._post = Post(crew, claimed.task, claimed.token, claim, slot)
        self._stopping = should_stop
        self._published: set[Oid] = set()  # what is safe elsewhere, or landed in other words
        self._waits = False  # for the remote, and the claim has to be kept alive meanwhile
        self._reserved: ClaimRecord | None = None
        self._worktree: ClaimWorktree | None = None
        self._reason = "it was interrupted"
        self._ended = False  # the claim, or its end is in the outbox

    def run(self) -> bool:
        """Do it, and return whether the task was finished, published or given to a person.

        Raises CannotWork when no agent can be started here; the task was given back then.
        """
        post, hearts = self._post, self._crew.hearts
        hearts.add(post.token, post.claim.lease)
        self._crew.in_hand.add(post.name)
        try:
            self._reserved = reserve_worktree(self._post)
            self._post.say("working", "making the worktree")
            self._worktree = prepare_worktree(self._post)
            self._work(self._worktree)
            self._reason, self._ended = "it is no part of the result", True
            return True
        except Interrupted as stop:
            return self._end(stop.reason, interrupted_claim(post, stop, self._published))
        except BatonError as error:
            good = self._end(first_line(error), end_claim(post, error, self._published))
            if isinstance(error, CannotWork):
                raise
            return good
        except OSError as error:
            reason = f"{error.filename or 'the disk'}: {error.strerror}"
            return self._end(reason, end_claim(post, AttemptFailed(reason), self._published))
        finally:
            self._crew.company.landed(post.slot)
            if not self._waits:
                hearts.remove(post.token)
            if not self._ended or self._clear():
                self._crew.in_hand.discard(post.name)

    def _end(self, reason: str, good: bool | None) -> bool:
        """Note why the claim ended, and whether it did (``end_claim``)."""
        self._reason, self._ended = reason, good is not None
        return bool(good)

    def _clear(self) -> bool:
        """Save and remove what is left of a claim that has ended; return whether to look again.

        Of one that has not, the record stays: it is what tells whose claim that was.
        """
        post, worktree = self._post, self._worktree
        if worktree is None:
            if self._reserved is not None:
                forget_reservation(self._crew.repository, self._reserved)
            return True
        settled = clear_away(
            self._crew,
            worktree,
            self._published,
            reason=self._reason,
            actor=post.actor,
            say=post.say,
        )
        return not settled or not worktree.is_recorded

    # --- the steps

    def _work(self, worktree: ClaimWorktree) -> None:
        """Set up, run the agent, check and land."""
        for note in worktree.record.notes:
            self._post.say("notice", note)
        env = self._environment(worktree)
        self._run_commands("setup", self._crew.orders.setup, worktree.path, env)
        outcome = self._run_agent(worktree, env)
        self._post.say("working", "committing what was left")
        left = self._save(worktree, "What the agent left uncommitted.")
        with suppress(RemoteUnreachable):  # then the landing waits, and finds out
            self._crew.reach.ask(self._is_current)  # the agent may have blocked or ended it itself
        result = judge_work(outcome, left)
        checks = (*self._crew.orders.checks, *self._task.checks)
        if left.gone and checks:
            raise AttemptFailed("the agent removed its worktree: the checks cannot run")
        self._run_commands("check", checks, worktree.path, _without_token(env))
        self._land(self._job(worktree, result, checks))

    def _run_agent(self, worktree: ClaimWorktree, env: Mapping[str, str]) -> AgentOutcome:
        orders, post = self._crew.orders, self._post
        post.say("working", f"running {orders.profile.name}", log=str(post.log))
        values = {
            "prompt": self._write_prompt(worktree),
            "prompt_file": str(post.prompt_file),
            "worktree": str(worktree.path),
            "task": self._task.id,
        }
        spec = AgentSpec(
            argv=tuple(fill(orders.profile.words, values)),
            cwd=worktree.path,
            env=env,
            log=post.log,
            timeout=self._task.timeout or orders.timeout,
            grace=orders.grace,
            cap=orders.output_cap,
        )
        listener = (lambda line: post.say("output", line)) if orders.echo else None
        run = AgentRun(
            spec, clock=self._crew.clock, listener=listener, should_stop=self._should_stop
        )
        outcome = run.run()
        if outcome.reason is Ending.STOPPED:
            self._save(worktree, "Stopped before it was finished.")
            raise Interrupted(outcome.detail)
        if outcome.reason is Ending.NOT_STARTED:
            require_program(orders.profile, env, worktree.path)
        return outcome

    def _land(self, job: LandJob) -> None:
        """Publish the result; while the remote is away, leave that to whoever comes next."""
        crew, post = self._crew, self._post
        post.say("working", f"landing ({job.way})")
        crew.company.lands(post.slot)
        # Until it is on the remote, the worktree holds it: a crash leaves both, and the entry.
        entry = crew.outbox.put("land", self._task.id, msgspec.to_builtins(job), owner=crew.process)
        try:
            crew.reach.require()
            landed = crew.lander.land(job, should_stop=self._should_stop)
        except RemoteUnreachable as error:
            self._leave_queued(entry, job)
            post.say("queued", f"the remote is away, it lands later: {error.message}")
            return
        except BaseException as error:
            crew.outbox.drop(entry)
            if isinstance(error, GateClosed | HostRefused):
                raise refused_landing(post, error, job.oid) from error
            raise
        crew.outbox.drop(entry)
        self._published.update(oid for oid in (job.oid, landed.commit) if oid)
        kind: Kind = "review" if landed.task.status is Status.REVIEW else "landed"
        where = f"on {landed.branch}" if landed.branch else "without a change"
        post.say(kind, where, commit=landed.commit, branch=landed.branch)

    def _leave_queued(self, entry: Entry, job: LandJob) -> None:
        """Leave a result to whoever empties the outbox, and keep it: the worktree may go."""
        crew = self._crew
        try:
            if job.commit:
                crew.repository.keep(queued_name(self._token), job.commit)
                self._published.add(Oid(job.commit))
        except BaseException:
            crew.outbox.drop(entry)
            raise
        crew.outbox.give_up(entry)
        self._waits = True

    # --- what they need

    def _save(self, worktree: ClaimWorktree, what: str) -> Leftovers:
        return save_leftovers(
            worktree,
            message=f"{self._task.title}\n\n{what}",
            agent=self._post.actor,
            clock=self._crew.clock,
        )

    def _write_prompt(self, worktree: ClaimWorktree) -> str:
        target = self._task.target or self._crew.orders.target
        text = build_prompt(self._task, branch=worktree.record.branch, target=target)
        file = self._post.prompt_file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return text

    def _environment(self, worktree: ClaimWorktree) -> dict[str, str]:
        orders, post = self._crew.orders, self._post
        return agent_environment(
            self._crew.env,
            task=self._task.id,
            token=str(self._token),
            epoch=self._token.epoch,
            agent=post.claim.agent,
            worktree=worktree.path,
            prompt_file=post.prompt_file,
            slot=post.slot - 1,
            port_base=orders.port_base,
            mark=self._token.nonce,
            extra=orders.profile.env,
        )

    def _run_commands(
        self, what: str, commands: tuple[str, ...], cwd: Path, env: Mapping[str, str]
    ) -> None:
        if not commands:
            return
        self._post.say("working", f"running {what}")
        failed = self._crew.commands.run(
            commands,
            name=f"{self._post.name}.{what}",
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
            agent=self._post.claim.agent,
            # A result for review is published as a branch: people merge it.
            way="branch" if orders.review else orders.way,
            branch=task.branch or f"{orders.branch_prefix}{task.id}",
            target=task.target or orders.target,
            base=worktree.record.base,
            commit=changed,
            checked=changed,
            setup=orders.setup,
            checks=checks,
            files=promised_files(task.deliverable),
            review=orders.review and changed is not None,
        )

    def _is_current(self) -> Claimed:
        return self._crew.queue.check(self._token)

    def _should_stop(self) -> str | None:
        return self._crew.hearts.lost(self._token) or self._stopping()


def _without_token(env: Mapping[str, str]) -> dict[str, str]:
    """Checks run code of the result: it gets no proof of the claim."""
    return {name: value for name, value in env.items() if name != "BATON_TOKEN"}
