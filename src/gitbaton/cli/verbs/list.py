"""``baton list``: lists tasks."""

from __future__ import annotations

import click

from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.taskview import print_tasks
from gitbaton.cli.verb import verb
from gitbaton.tasks.board import NEVER_PARKED
from gitbaton.tasks.model import Status, Task

_ORDER = {
    status: number
    for number, status in enumerate(
        (
            Status.IN_PROGRESS,
            Status.REVIEW,
            Status.BLOCKED,
            Status.PENDING,
            Status.FAILED,
            Status.DONE,
            Status.CANCELLED,
        )
    )
}


@verb("list")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([str(status) for status in Status]),
    multiple=True,
    help="Only tasks in this status. Repeatable.",
)
@click.option("--label", "labels", multiple=True, help="Only tasks with this label. Repeatable.")
def command(request: Request, statuses: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """List tasks: what is under way first, then what waits, then what is finished."""
    app = request.app
    view = app.queue.view()
    at_work = bool(statuses) and NEVER_PARKED.issuperset(statuses)
    tasks = [
        task
        for task in sorted((view.live if at_work else view.tasks).values(), key=_place)
        if (not statuses or task.status in statuses) and set(labels) <= set(task.labels)
    ]
    for key, reason in (view.damaged_live if at_work else view.damaged).items():
        request.output.note(f"{key} cannot be read: {reason}; next: baton doctor")
    request.output.answer(
        {"tasks": [task_document(task, app.gatekeeper) for task in tasks]},
        lambda out: print_tasks(
            out, tasks, empty="no task" + (" like that" if statuses or labels else " yet")
        ),
    )


def _place(task: Task) -> tuple[int, int, str, str]:
    return _ORDER[task.status], task.priority, task.created_at, task.id
