"""``baton graph``: draws which task needs which."""

from __future__ import annotations

import click

from gitbaton.cli.graphing import draw_mermaid, draw_tree
from gitbaton.cli.output import Output, one_line
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("graph")
@click.option("--mermaid", is_flag=True, help="Print a mermaid diagram.")
def command(request: Request, mermaid: bool) -> None:
    """Draw which task needs which: each stands under what it needs."""
    tasks = request.app.queue.view().tasks

    def human(out: Output) -> None:
        if mermaid:
            out.say(draw_mermaid(tasks))
            return
        for lead, task, remark in draw_tree(tasks):
            tail = f" ({remark})" if remark else ""
            out.say(f"{lead}{task.id} [{task.status}] {one_line(task.title)}{tail}")
        if not tasks:
            out.say("no task yet")

    document = {
        "nodes": [
            {"id": task.id, "title": task.title, "status": task.status} for task in tasks.values()
        ],
        "edges": [{"from": need, "to": task.id} for task in tasks.values() for need in task.needs],
    }
    request.output.answer(document, human)
