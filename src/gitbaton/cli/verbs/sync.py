"""``baton sync``: sends what waited while the remote was away, and brings in what others pushed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gitbaton.app import App
from gitbaton.checkout import Checkout
from gitbaton.cli.catchingup import catch_up_files
from gitbaton.cli.errors import DONE, error_document, exit_status
from gitbaton.cli.fields import DURATION
from gitbaton.cli.integrating import integrated_document, push_branch, tell_integrated
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError
from gitbaton.work.sync import Sent, waiting
from gitbaton.workshop import Workshop
from gitbaton.workspace.integration.outcome import Integrated
from gitbaton.workspace.safecommit.moving import PATIENCE


@verb("sync")
@click.option("--push", is_flag=True, help="Also push what is committed on this branch.")
@click.option("--no-pull", is_flag=True, help="Only send what waited; leave the branch alone.")
@click.option("--wait", type=DURATION, metavar="D", help="How long to wait for others' locks.")
@click.option("--merge", "merged", metavar="PATH", multiple=True, help="Bring PATH up to date.")
@click.option("--mine", metavar="PATH", multiple=True, help="PATH may be committed as it is.")
def command(
    request: Request,
    push: bool,
    no_pull: bool,
    wait: float | None,
    merged: tuple[str, ...],
    mine: tuple[str, ...],
) -> int:
    """Send what waited while the remote was away, and bring in what others have pushed.

    A result lands if its claim is still current; else its work goes to a rescue ref. What cannot
    be sent yet keeps waiting: exit status 69 if the remote is away, 77 if it refuses.

    Then the branch that is checked out here is brought onto its upstream, whatever state the
    working tree is in: nothing is stashed, and a file that somebody has changed or staged stays
    as it is. Where the same lines were changed, nothing is done (exit status 1) and the message
    says how to merge them.

    A file that stayed behind in this way is not committed until it has what upstream did to it:
    --merge PATH brings the two together in the file, and does nothing else.
    """
    if merged or mine:
        if push or no_pull:
            raise click.UsageError("--merge and --mine go alone")
        return catch_up_files(request, merged, mine, wait)
    if push and no_pull:
        raise click.UsageError("--push brings in what others pushed first: not with --no-pull")
    app = request.app
    report = _send(app)
    for sent in report:
        if sent.token is not None and sent.fate != "waiting":
            app.held.drop(sent.token.task, sent.token.epoch)
    left = [sent for sent in report if sent.fate == "waiting"]
    obstacle = next((sent.error for sent in left if sent.error is not None), None)
    branch = None
    if not no_pull and obstacle is None:
        try:
            branch = _integrate(request, wait, publish=push)
        except BatonError as error:
            obstacle = error
    document = {
        "sent": [_document(sent) for sent in report],
        "waiting": len(left),
        "branch": None if branch is None else integrated_document(branch),
        **(error_document(obstacle) if obstacle is not None else {}),
    }
    request.output.answer(document, lambda out: _print(out, report, branch, obstacle))
    return DONE if obstacle is None else exit_status(obstacle)


def _integrate(request: Request, wait: float | None, *, publish: bool) -> Integrated | None:
    clone = request.app.clone
    if clone.top == clone.common:
        return None  # a bare repository: nothing is checked out
    checkout = Checkout(
        request.directory, request.env, command="baton sync", tell=request.output.note
    )
    patience = PATIENCE if wait is None else wait
    wait = float(checkout.section.wait) if wait is None else wait
    if publish:
        return push_branch(request, checkout, wait, patience)
    return checkout.integration(wait=wait, patience=patience).run(publish=False)


def _send(app: App) -> list[Sent]:
    """Send what waits; with an empty outbox nothing is asked of the remote."""
    workshop = Workshop(app, lambda _: None)
    entries = workshop.outbox.entries()
    if not entries:
        return []
    try:
        return workshop.sync.run()
    except BatonError as error:  # the queue could not even be opened: all of it waits
        return [waiting(entry, error) for entry in entries]


def _document(sent: Sent) -> dict[str, object]:
    return {
        "kind": sent.kind,
        "task": sent.task,
        "fate": sent.fate,
        "text": sent.text,
        "epoch": sent.token.epoch if sent.token is not None else None,
        "next": sent.next,
    }


def _print(
    out: Output,
    report: Sequence[Sent],
    branch: Integrated | None,
    obstacle: BatonError | None,
) -> None:
    if not report and branch is None and obstacle is None:
        out.say("nothing waits to be sent, and no branch here follows one of the remote")
    for sent in report:
        text = "" if sent.error is not None else f" ({sent.text})"
        out.say(f"{sent.task}: {sent.kind} {sent.fate}{text}")
        if sent.next and sent.error is None:
            out.hint(f"  next: {sent.next}")
    if branch is not None:
        tell_integrated(out.say, branch)
    if obstacle is not None:
        out.complain(f"baton: {obstacle.message}")
        if obstacle.next:
            out.complain(f"  next: {obstacle.next}")
