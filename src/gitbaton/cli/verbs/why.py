"""``baton why``: says what stands in the way of a task."""

from __future__ import annotations

import click

from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import obstacle_document, task_document
from gitbaton.cli.verb import verb


@verb("why")
@click.argument("task_id", metavar="ID")
@click.option("--cap", "capabilities", multiple=True, metavar="CAP", help="Something I can do.")
def command(request: Request, task_id: str, capabilities: tuple[str, ...]) -> None:
    """Say why the task ID is not ready, or who has it."""
    app = request.app
    view = app.queue.view()
    task = view.find(task_id)
    obstacles = app.queue.why(view, task_id, app.identity.claimant(capabilities=capabilities))

    def human(out: Output) -> None:
        if not obstacles:
            out.say(f"{task.id} is ready")
            out.hint(f"  next: baton claim {task.id}")
            return
        out.say(f"{task.id} is {task.status}, not ready:")
        for obstacle in obstacles:
            out.say(f"  - {obstacle.text}")
            if obstacle.next:
                out.hint(f"    next: {obstacle.next}")

    document = {
        "id": task.id,
        "ready": not obstacles,
        "obstacles": [obstacle_document(obstacle) for obstacle in obstacles],
        "task": task_document(task, app.gatekeeper),
    }
    request.output.answer(document, human)
