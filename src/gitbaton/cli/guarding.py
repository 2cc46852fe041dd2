"""Asks whether a commit or push may go on, and says so: the verb `guard`, and `baton commit`."""

from __future__ import annotations

from collections.abc import Iterable

from gitbaton.checkout import Checkout
from gitbaton.cli.request import Request
from gitbaton.core.errors import Refused
from gitbaton.git.head import read_branch
from gitbaton.workspace.guarding.recognition import read_prefix
from gitbaton.workspace.guarding.verdict import Act, concerned, judge


def guard_checkout(request: Request, checkout: Checkout, act: Act) -> None:
    """Ask what our own git hooks would ask, where `baton init --hooks` has put them in."""
    prefix = read_prefix(checkout.tree.clone_state)
    if prefix is not None:
        branch = read_branch(checkout.tree)
        refs = [branch] if branch else []
        if branch and act == "push":  # to its upstream, which may be called otherwise
            from gitbaton.workspace.integration.upstream import find_upstream

            upstream = find_upstream(checkout.tree, branch, fallback=None)
            refs += [upstream.ref] if upstream else []
        named = [ref.removeprefix("refs/heads/") for ref in refs]
        require_holder(request, act, named, prefix=prefix)


def guard_move(request: Request, checkout: Checkout, branch: str | None) -> None:
    """Ask again when a commit is about to move ``branch``: it has waited for others and for hooks.

    What was only warned of at first is not said twice.
    """
    prefix = read_prefix(checkout.tree.clone_state)
    if prefix is not None:
        named = [branch.removeprefix("refs/heads/")] if branch else []
        require_holder(request, "commit", named, prefix=prefix, warn=False)


def require_holder(
    request: Request, act: Act, branches: Iterable[str], *, prefix: str, warn: bool = True
) -> None:
    """Raise Refused where ``act`` on ``branches`` is for a task that this session must not touch.

    Asks nothing of the network; with ``warn`` doubts go to standard error. Where it concerns no
    task, not even the clone is opened.
    """
    tasks = concerned(named=request.env.get("BATON_TASK"), branches=branches, prefix=prefix)
    if not tasks:
        return
    from gitbaton.workspace.guarding.evidence import Witness, was_on_board

    app = request.app
    witness = Witness(
        held=app.held,
        session=app.identity.session,
        token=request.env.get("BATON_TOKEN"),
        records=app.store if app.settings.engine == "sqlite" else None,
        clock=app.clock,
        seen=lambda task: was_on_board(app.repository, task),
    )
    for task in tasks:
        verdict = judge(act, task, witness.testify(task))
        words = f"this {act} is for task {task}: {verdict.reason}"
        if verdict.ruling == "block":
            skip = f"or, if it is for no task: git {act} --no-verify"
            raise Refused(words, code="not_held", next=f"{verdict.next} ({skip})")
        if verdict.ruling == "warn" and warn:
            request.output.note(f"baton: {words}; next: {verdict.next}")
