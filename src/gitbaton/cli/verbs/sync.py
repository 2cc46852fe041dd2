"""``baton sync``: sends what waited while the remote was away."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.app import App
from gitbaton.cli.errors import DONE, error_document, exit_status
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError
from gitbaton.work.sync import Sent, waiting
from gitbaton.workshop import Workshop


@verb("sync")
def command(request: Request) -> int:
    """Send what waited while the remote was away.

    A result lands if its claim is still current; else its work goes to a rescue ref. What cannot
    be sent yet keeps waiting: exit status 69 if the remote is away, 77 if it refuses.
    """
    app = request.app
    report = _send(app)
    for sent in report:
        if sent.token is not None and sent.fate != "waiting":
            app.held.drop(sent.token.task, sent.token.epoch)
    left = [sent for sent in report if sent.fate == "waiting"]
    obstacle = next((sent.error for sent in left if sent.error is not None), None)
    document = {
        "sent": [_document(sent) for sent in report],
        "waiting": len(left),
        **(error_document(obstacle) if obstacle is not None else {}),
    }
    request.output.answer(document, lambda out: _print(out, report, obstacle))
    return DONE if obstacle is None else exit_status(obstacle)


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


def _print(out: Output, report: Sequence[Sent], obstacle: BatonError | None) -> None:
    if not report:
        out.say("nothing waits")
    for sent in report:
        text = "" if sent.error is not None else f" ({sent.text})"
        out.say(f"{sent.task}: {sent.kind} {sent.fate}{text}")
        if sent.next and sent.error is None:
            out.hint(f"  next: {sent.next}")
    if obstacle is not None:
        out.complain(f"baton: {obstacle.message}")
        if obstacle.next:
            out.complain(f"  next: {obstacle.next}")
