"""The queue: every change of a task, as a compare-and-swap on the store.

Every method looks, applies a pure rule and commits; on a lost race it looks again and decides
again. Each verb has a module of its own, imported when it is first used: a command that only
reads does not pay for what changes.

Raises, besides what is named: UnknownTask, WrongStatus, ClaimLost, DamagedRecord,
RemoteUnreachable, OutcomeUnknown, HostRefused, InvalidInput.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.store.model import Actor, Move, Transaction, Version
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Claimant, Claimed, Reaped, Token
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.ledger import Ledger
from gitbaton.tasks.model import Landing, Result, Task
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.readiness import Obstacle, Readiness
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.view import View

if TYPE_CHECKING:
    from gitbaton.tasks.drafts import Draft
    from gitbaton.tasks.subjects import Event


class Queue:
    """Tasks over one store, as one observer sees them. Thread-safe.

    ``gatekeeper`` decides what is shown as ready. Where a gate lets something happen (a claim, a
    landing, an approval), ``refresh_gatekeeper`` is asked before, once for each operation, and
    what it returns takes the place of ``gatekeeper``. It may raise RemoteUnreachable.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        rng: random.Random,
        settings: QueueSettings,
        gatekeeper: GateKeeper,
        observer: Observer,
        refresh_gatekeeper: Callable[[], GateKeeper] | None = None,
    ) -> None:
        self._ledger = Ledger(
            store,
            clock=clock,
            rng=rng,
            settings=settings,
            gatekeeper=gatekeeper,
            refresh_gatekeeper=refresh_gatekeeper,
            observer=observer,
        )

    @property
    def gatekeeper(self) -> GateKeeper:
        """Who decides about gates. Replace it when the protected configuration has changed."""
        return self._ledger.gatekeeper

    @gatekeeper.setter
    def gatekeeper(self, keeper: GateKeeper) -> None:
        self._ledger.gatekeeper = keeper

    # --- reading

    def view(self) -> View:
        """Return all tasks at one moment. Counts as a look for leases, timeouts and delays."""
        return self._ledger.view()

    def get(self, task: str) -> Task:
        """Return one task."""
        return self._ledger.view().find(task)

    def ready(self, view: View, who: Claimant | None = None) -> list[Task]:
        """Return the tasks that may be claimed, in claim order (``who`` None: by anybody)."""
        return Readiness(view, self._ledger.gatekeeper, who).ready()

    def why(self, view: View, task: str, who: Claimant | None = None) -> list[Obstacle]:
        """Return everything that keeps a task from being claimed; nothing: it is ready."""
        return Readiness(view, self._ledger.gatekeeper, who).obstacles(view.find(task))

    def log(self, task: str | None = None, *, limit: int | None = None) -> list[Event]:
        """Return the transitions of one task (None: of all), newest first."""
        from gitbaton.tasks import auditing

        return auditing.log(self._ledger, task, limit=limit)

    # --- adding and claiming

    def add(self, drafts: Sequence[Draft], *, actor: Actor) -> list[Task]:
        """Add all drafts in one transaction. Raises TaskExists."""
        from gitbaton.tasks import adding

        return adding.add(self._ledger, drafts, actor)

    def claim(
        self,
        who: Claimant | Sequence[Claimant],
        *,
        ids: Sequence[str] = (),
        count: int = 1,
        lease: float | None = None,
        create: Draft | None = None,
    ) -> list[Claimed]:
        """Claim up to ``count`` ready tasks (of ``ids``, where given) for ``lease`` seconds.

        Several claimants (of equal capabilities) get one claim each, under their own names, in one
        commit and returned in their order. Who got none is not among them, see ``task.claim``.

        ``create``: add that task first if there is none with its id, in one transaction. Raises
        NothingToClaim; OutcomeUnknown when a claim may have been made that nobody holds a token
        for (it lapses by itself).
        """
        from gitbaton.tasks.claiming import Claiming

        return Claiming.wish(self._ledger, who, ids, count, lease, create).carry_out()

    # --- by the holder

    def renew(self, tokens: Sequence[Token]) -> Mapping[Token, Task | Exception]:
        """Renew all these claims in one commit; return for each the task or what went wrong."""
        from gitbaton.tasks import holding

        return holding.renew(self._ledger, tokens)

    def renewals(self, tokens: Sequence[Token]) -> Mapping[Token, Transaction]:
        """Return renewals that may ride along in a push of others; asks nobody.

        What is missing, or was not committed (``holding.renewed``), is to be renewed as usual.
        """
        from gitbaton.tasks import holding

        return holding.propose_renewals(self._ledger, tokens)

    def check(self, token: Token) -> Claimed:
        """Return the claim that ``token`` proves; raise ClaimLost unless it is current."""
        from gitbaton.tasks import holding

        return holding.check(self._ledger, token)

    def done(
        self,
        token: Token,
        *,
        branch: str | None = None,
        commit: Oid | None = None,
        text: str | None = None,
        review: bool = False,
        moves: Sequence[Move] = (),
        require: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        """Publish and finish in one transaction; ``review``: leave it to people to accept.

        ``require`` raises for a task that this result does not finish.
        Raises LandingStale when a branch had moved, GateClosed when the gate or a need no longer
        holds.
        """
        result = Result(branch=branch, commit=commit, text=text)
        from gitbaton.tasks import holding

        return holding.done(
            self._ledger, token, result, review=review, moves=moves, require=require
        )

    def announce(self, token: Token, landing: Landing) -> Task:
        """Name the landing that comes next, on a host without atomic push. Raises as ``done``."""
        from gitbaton.tasks import holding

        return holding.announce(self._ledger, token, landing)

    def block(self, token: Token, reason: str) -> Task:
        """Give the task up with a question that people must answer."""
        from gitbaton.tasks import holding

        return holding.block(self._ledger, token, reason)

    def release(self, token: Token, reason: str = "") -> Task:
        """Give the task back; no attempt is counted."""
        from gitbaton.tasks import holding

        return holding.release(self._ledger, token, reason)

    def fail(self, token: Token, reason: str) -> Task:
        """End the attempt as failed: pending after a delay, or failed after the last attempt."""
        from gitbaton.tasks import holding

        return holding.fail(self._ledger, token, reason)

    # --- by people

    def edit(
        self,
        task: str,
        changes: Mapping[str, object],
        *,
        actor: Actor,
        seen: Version | None = None,
    ) -> Task:
        """Change fields of a task (``drafts.EDITABLE``); ``seen``: only at that version of it."""
        from gitbaton.tasks import steering

        return steering.edit(self._ledger, task, changes, actor, seen=seen)

    def retry(self, task: str, *, force: bool, actor: Actor) -> Task:
        """Do a finished task again."""
        from gitbaton.tasks import steering

        return steering.retry(self._ledger, task, actor, force=force)

    def unblock(self, task: str, answer: str | None, *, actor: Actor) -> Task:
        """Let a blocked task go on, with an answer for the next attempt."""
        from gitbaton.tasks import steering

        return steering.unblock(self._ledger, task, answer, actor)

    def cancel(self, task: str, reason: str | None, *, actor: Actor) -> Task:
        """Call a task off."""
        from gitbaton.tasks import steering

        return steering.cancel(self._ledger, task, reason, actor)

    def accept(self, task: str, *, actor: Actor) -> Task:
        """Take the result of a task in review: it is done."""
        from gitbaton.tasks import steering

        return steering.accept(self._ledger, task, actor)

    def reject(self, task: str, reason: str, *, actor: Actor) -> Task:
        """Send a task in review back, with the reason for the next attempt."""
        from gitbaton.tasks import steering

        return steering.reject(self._ledger, task, reason, actor)

    def approve(
        self, task: str, *, actor: Actor, sign: Callable[[bytes], str] | None = None
    ) -> Task:
        """Open a task's gate. ``sign`` makes the signature where the project asks for one."""
        from gitbaton.tasks import steering

        return steering.approve(self._ledger, task, actor, sign)

    def revoke(self, task: str, *, actor: Actor) -> Task:
        """Take an approval back."""
        from gitbaton.tasks import steering

        return steering.revoke(self._ledger, task, actor)

    # --- by anybody, again and again

    def confirm(self, task: str, *, commit: Oid, actor: Actor) -> Task:
        """Finish a task whose announced landing of ``commit`` was found on its branch."""
        from gitbaton.tasks import holding

        return holding.confirm(self._ledger, task, commit, actor)

    def reap(self, *, dry_run: bool = False) -> list[Reaped]:
        """Take back the claims that this observer has seen expire."""
        from gitbaton.tasks import reaping

        return reaping.reap(self._ledger, dry_run=dry_run)
