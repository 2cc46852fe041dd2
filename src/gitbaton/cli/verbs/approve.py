"""``baton approve``: opens the gate of a task. Agents cannot."""

from __future__ import annotations

from pathlib import Path

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.people import require_person
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.workspace.gatekeeping import as_approver, find_signer


@verb("approve")
@click.argument("task_id", metavar="ID")
@click.option("--revoke", is_flag=True, help="Take the approval back.")
def command(request: Request, task_id: str, revoke: bool) -> None:
    """Open the gate of the task ID, for exactly what the task says now.

    Only people on the list of approvers may; where the project has signers, the approval is
    signed with the SSH key that git signs with. Refused inside an agent's environment.
    """
    require_person(request, "approve --revoke" if revoke else "approve", task_id)
    app = request.app
    person = as_approver(app.identity.person, app.protection(fresh=True))
    if revoke:
        task = app.queue.revoke(task_id, actor=person)
        print_change(request, task, f"the approval of {task.id} is taken back")
        return
    signer = find_signer(app.git_config, Path(request.env.get("HOME", "/")))
    task = app.queue.approve(task_id, actor=person, sign=signer)
    print_change(
        request,
        task,
        f"gate {task.gate!r} of {task.id} is open, by {person.name}",
        hint=f"baton claim {task.id}",
    )
