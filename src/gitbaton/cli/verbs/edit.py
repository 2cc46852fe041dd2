"""``baton edit``: changes a task."""

from __future__ import annotations

from typing import Any

import click

from gitbaton.cli.fields import read_fields, task_options
from gitbaton.cli.holding import print_change
from gitbaton.cli.people import require_person
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb

_EMPTY: dict[str, object] = {
    "body": "",
    "needs": (),
    "requires": (),
    "paths": (),
    "checks": (),
    "labels": (),
    "gate": None,
    "timeout": None,
    "target": None,
    "branch": None,
    "deliverable": None,
    "external_ref": None,
}


@verb("edit")
@click.argument("task_id", metavar="ID")
@click.option("--title", metavar="T", help="Its title.")
@task_options
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice(sorted(_EMPTY)),
    metavar="FIELD",
    help=f"Empty a field. Repeatable. One of: {', '.join(sorted(_EMPTY))}.",
)
def command(request: Request, task_id: str, clear: tuple[str, ...], **given: Any) -> None:
    """Change the task ID. A repeatable option replaces the whole list.

    Changing what an approval was given for voids the approval. Refused inside an agent's
    environment.
    """
    require_person(request, "edit", task_id)
    changes: dict[str, object] = read_fields(given)
    for field in clear:
        if field in changes:
            raise click.UsageError(f"{field} is both given and cleared")
        changes[field] = _EMPTY[field]
    if not changes:
        raise click.UsageError("say what to change")
    task = request.app.queue.edit(task_id, changes, actor=request.app.identity.actor)
    print_change(request, task, f"changed {task.id}: {', '.join(sorted(changes))}")
