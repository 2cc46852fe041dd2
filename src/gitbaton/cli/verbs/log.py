"""``baton log``: shows every transition."""

from __future__ import annotations

import click

from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import event_document
from gitbaton.cli.verb import verb


@verb("log")
@click.argument("task_id", metavar="[ID]", required=False)
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="At most N of them.")
def command(request: Request, task_id: str | None, limit: int | None) -> None:
    """Show every transition of the task ID, or of all tasks, newest first."""
    queue = request.app.queue
    events = queue.log(task_id, limit=limit)
    if task_id is not None and not events:
        queue.get(task_id)  # an unknown task is an error, one without history is not

    def human(out: Output) -> None:
        if not events:
            out.say("nothing has happened yet")
        width = max((len(event.task) for event in events), default=0)
        for event in events:
            # The line of an addition of many tasks names the first of them only.
            out.say(f"{event.at}  {event.task:<{width}}  {event.subject}")

    request.output.answer({"events": [event_document(event) for event in events]}, human)
