"""Sends what was planned, for one transaction or several, and takes down what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.git.remote import PushState, RefResult, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.plan import Plan
from gitbaton.store.model import Committed, Rejected, Version

Sent: TypeAlias = tuple[Attempts, Plan]


class Pusher:
    """Pushes plans to one remote. Gives an outcome only where the answer makes it certain."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        layout: Layout,
        learn: Callable[[Plan], None],
    ) -> None:
        """``learn(plan)`` is told of every plan that the server has surely applied."""
        self._repository = repository
        self._remote = remote
        self._layout = layout
        self._learn = learn
        self.linear = False  # the host refuses to replace a heartbeat: chain them

    def push(self, tried: Attempts, plan: Plan) -> None:
        """Push one plan, alone, in the way that the host allows."""
        many = len(plan.updates) > 1
        if not plan.updates:
            tried.outcome = self.committed(plan)
        elif not many or self._remote.supports_atomic is not False:
            self.send([(tried, plan)], atomic=many)
        elif tried.tx.moves and tried.tx.write:
            tried.outcome = Rejected("the host has no atomic push", code="no_atomic")
        else:
            self._push_in_steps(tried, plan)

    def send(self, group: Sequence[Sent], *, atomic: bool) -> None:
        """Push the plans in one push. Raises RemoteUnreachable if surely nothing was sent."""
        self._repository.objects.write([o for _, plan in group for o in plan.objects])
        for tried, plan in group:
            tried.plans.append(plan)
        updates = [update for _, plan in group for update in plan.updates]
        try:
            results = self._remote.push(updates, atomic=atomic)
        except RemoteUnreachable:
            for tried, plan in group:
                tried.plans.remove(plan)
            raise
        self.take(group, results)

    def take(self, group: Sequence[Sent], results: Mapping[str, RefResult]) -> None:
        """Take the server's answer to a push of ``group``, each by the fate of its own refs."""
        for tried, plan in group:
            own = {update.ref: results[update.ref] for update in plan.updates}
            if all(result.state is PushState.DONE for result in own.values()):
                tried.outcome = self.committed(plan)
            else:
                self._note(tried, plan, own, shared=len(group) > 1)

    def committed(self, plan: Plan) -> Committed:
        """Return the outcome of a plan that is applied, and remember what it wrote."""
        self._learn(plan)
        return Committed({key: Version(oid) for key, oid in plan.versions.items()})

    def _push_in_steps(self, tried: Attempts, plan: Plan) -> None:
        """Send the updates one by one, on a host without atomic push.

        Records first, in the order in which they were written, then the board, then deletions:
        whatever is cut off in between, no record is lost and the refs are the truth.
        """
        self._repository.objects.write(plan.objects)
        tried.plans.append(plan)
        tried.stepwise = True
        board = self._layout.board
        ordered = sorted(plan.updates, key=lambda u: (u.new is None, u.ref == board))
        for update in ordered:
            result = self._remote.push([update], atomic=False)[update.ref]
            if result.state is not PushState.DONE:
                self._note(tried, plan, {update.ref: result}, shared=False)
                return
        tried.outcome = self.committed(plan)

    def _note(
        self, tried: Attempts, plan: Plan, results: Mapping[str, RefResult], *, shared: bool
    ) -> None:
        refused = [r for r in results.values() if r.state is PushState.REFUSED]
        replaced = any(e.heartbeat for e in plan.envelopes.values())
        if refused and replaced and not self.linear and "non-fast-forward" in refused[0].reason:
            self.linear = True
            return
        tried.note(results, shared=shared)
        unsent = all(result.state is PushState.UNSENT for result in results.values())
        if unsent and self._remote.supports_atomic is False and not tried.stepwise:
            tried.plans.remove(plan)  # it never left this machine
