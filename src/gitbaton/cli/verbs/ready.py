"""``baton ready``: lists what can be claimed now."""

from __future__ import annotations

import click

from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.taskview import print_tasks
from gitbaton.cli.verb import verb


@verb("ready")
@click.option("--cap", "capabilities", multiple=True, metavar="CAP", help="Something I can do.")
def command(request: Request, capabilities: tuple[str, ...]) -> None:
    """List the tasks that can be claimed now, in the order in which they are tried."""
    app = request.app
    view = app.queue.view()
    tasks = app.queue.ready(view, app.identity.claimant(capabilities=capabilities))
    request.output.answer(
        {"tasks": [task_document(task, app.gatekeeper) for task in tasks]},
        lambda out: print_tasks(out, tasks, empty="nothing is ready; next: baton status"),
    )
