"""What every worker does for everybody, again and again: reap, settle, send, sweep, tidy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.store.model import Actor
from gitbaton.store.protocol import Store
from gitbaton.tasks.budget import count_machines
from gitbaton.work.clearing import clear_away
from gitbaton.work.crew import Crew
from gitbaton.work.orphans import sweep
from gitbaton.work.pacing import Pace
from gitbaton.work.returning import DIED, Returner
from gitbaton.work.settling import Settler
from gitbaton.work.sync import Sync


class Upkeep:
    """One round of it (``work.shift.Chores``). Each chore is safe beside others' chores."""

    def __init__(
        self,
        crew: Crew,
        store: Store,
        sync: Sync,
        *,
        alive: Callable[[Process], bool],
        pace: Pace,
        machine: str,
        renew_protection: Callable[[], None],
    ) -> None:
        """``alive`` tells whether an owner of worktrees may still run.

        ``renew_protection`` reads again what protects people (approvers, gates, rules).
        """
        self._alive = alive
        self._pace = pace
        self._machine = machine
        self._renew_protection = renew_protection
        self._settler = Settler(
            crew.queue, crew.upstream, crew.lander.move, default_target=crew.orders.target
        )
        self._returner = Returner(
            keep=crew.repository.keep,
            queue=crew.queue,
            outbox=crew.outbox,
            clock=crew.clock,
            grace=crew.orders.grace,
        )
        self._sender: threading.Thread | None = None
        self._crew = crew
        self._store = store
        self._sync = sync

    def run(self, *, urgent: bool) -> None:
        """Do one round. Raises RemoteUnreachable; other troubles are told and passed over.

        ``urgent``: nothing was ready to be claimed, so staging does not wait for the push budget.
        """
        self._each(
            self._sweep,
            self._renew_protection,
            self._send,
            self._settle,
            self._reap,
            partial(self._tidy, urgent=urgent),
        )

    def finish(self) -> None:
        """Send what waits, and show on the board how things stand. Raises as ``run``."""
        self.close()
        self._each(self._send_all, self._settle, self._refresh)

    def close(self) -> None:
        """Wait for what is being sent: what it is read from is about to be closed."""
        if self._sender is not None:
            self._sender.join()

    def _each(self, *steps: Callable[[], None]) -> None:
        for step in steps:
            try:
                step()
            except RemoteUnreachable:
                raise
            except BatonError as error:
                self._crew.tell("notice", error.message)

    def _sweep(self) -> None:
        """Save and remove the worktrees of workers that died in this clone, and our own leftovers.

        Their claims are given back by ``_send``, which comes next.
        """
        crew = self._crew
        found = sweep(
            crew.repository,
            crew.worktrees,
            alive=self._alive,
            owner=crew.process,
            bereaved=self._returner.give_back,
            left=lambda name: name not in crew.in_hand,
        )
        for text in found.damaged:
            crew.tell("notice", text)
        for worktree in found.adopted:
            record = worktree.record
            settled = clear_away(
                crew,
                worktree,
                {Oid(oid) for oid in crew.repository.kept().values()},
                reason=DIED,
                actor=Actor(f"{record.task} epoch {record.epoch}"),
                say=partial(crew.tell, task=record.task, epoch=record.epoch),
            )
            if settled and worktree.is_recorded:
                crew.in_hand.add(record.name)

    def _send(self) -> None:
        """Send what waits, in a thread of its own: a landing may run checks, or wait for long."""
        if self._sender is not None and self._sender.is_alive():
            return
        if self._crew.outbox.entries():
            self._sender = threading.Thread(target=self._send_apart, name="outbox")
            self._sender.start()

    def _send_apart(self) -> None:
        try:
            self._send_all()
        except BatonError as error:
            self._crew.tell("notice", error.message)

    def _send_all(self) -> None:
        for sent in self._sync.run():
            if sent.fate == "waiting":
                continue
            if sent.token is not None:
                self._crew.hearts.remove(sent.token)
            text = f"{sent.kind} that waited: {sent.fate} {sent.text}"
            self._crew.tell("landed" if sent.fate == "landed" else "notice", text, task=sent.task)

    def _settle(self) -> None:
        crew = self._crew
        for text in self._settler.run():
            crew.tell("notice", text)

    def _reap(self) -> None:
        for reaped in self._crew.queue.reap():
            self._crew.tell(
                "reaped",
                f"{reaped.reason}; it is {reaped.after.status} again",
                task=reaped.before.id,
                epoch=reaped.before.epoch,
            )

    def _tidy(self, *, urgent: bool) -> None:
        machines = count_machines(self._crew.queue.view().live.values(), own=self._machine)
        if not urgent and not self._pace.allows(machines):
            return
        self._pace.done()
        for note in self._store.tidy().notes:
            self._crew.tell("notice", f"board: {note}")

    def _refresh(self) -> None:
        self._store.tidy(force=True)
