"""``baton add``: adds a task, or many in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gitbaton.cli.drafts import parse_drafts
from gitbaton.cli.fields import read_fields, read_text, task_options
from gitbaton.cli.offline import Queued, add_tasks, print_queued
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.verb import verb
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.model import Task


@verb("add")
@click.argument("title", required=False)
@click.option("--id", metavar="ID", help="Its id; omitted, one is made from the title.")
@task_options
@click.option(
    "--from",
    "source",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help='Add every task in FILE: JSON lines of these fields, or {"tasks": […]}.',
)
def command(request: Request, title: str | None, source: Path | None, **given: Any) -> None:
    """Add a task called TITLE, or all tasks in a file, in one transaction."""
    fields = read_fields(given)
    if source is not None:
        if title is not None or fields:
            raise click.UsageError("--from takes everything from the file: no title, no options")
        _add_file(request, source)
        return
    if title is None:
        raise click.UsageError("say what is to be done: baton add TITLE, or --from FILE")
    added = add_tasks(request.app, [Draft(title=title, **fields)])
    if isinstance(added, Queued):
        print_queued(request.output, added)
        return
    request.output.answer(
        task_document(added[0], request.app.gatekeeper), lambda out: _print_added(out, added)
    )


def _add_file(request: Request, source: Path) -> None:
    batch = parse_drafts(read_text(source, field="--from"), str(source))
    if batch.finished:
        request.output.note(f"left out, being finished: {', '.join(batch.finished)}")
    added = add_tasks(request.app, batch.drafts) if batch.drafts else []
    if isinstance(added, Queued):
        print_queued(request.output, added)
        return
    gatekeeper = request.app.gatekeeper
    request.output.answer(
        {"tasks": [task_document(task, gatekeeper) for task in added]},
        lambda out: _print_added(out, added),
    )


def _print_added(out: Output, tasks: Sequence[Task]) -> None:
    for task in tasks:
        out.say(f"added {task.id}: {task.title}" if not out.quiet else task.id)
    if len(tasks) == 1:
        then = "approve" if tasks[0].gate else "claim"
        out.hint(f"  next: baton {then} {tasks[0].id}")
    else:
        out.hint(f"  {len(tasks)} tasks; next: baton ready")
