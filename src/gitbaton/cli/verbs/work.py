"""``baton work``: runs agents on ready tasks, and lands what they do."""

from __future__ import annotations

from typing import Any

import click

from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.cli.watching import WorkScreen
from gitbaton.cli.working import Audience, draining_on_signals, work_options
from gitbaton.outpost import Outpost
from gitbaton.wishes import Wishes


@verb("work")
@work_options
@click.option("--drain", is_flag=True, help="End when nothing is left to do anywhere.")
@click.option("--once", is_flag=True, help="Work on one task; 75 if none is ready.")
@click.option("--name", metavar="WORKER", help="The worker's name; the default is HOST/wPID.")
def command(request: Request, drain: bool, once: bool, **options: Any) -> int:
    """Claim ready tasks, run an agent on each in a worktree of its own, land the results.

    A result is published in the same push that finishes the task: whoever lost the claim
    meanwhile cannot publish; the work is saved to a rescue ref instead. The first ^C finishes
    the running tasks, the second stops them, saves their work and gives them back.

    The agent is a profile (claude, codex, gemini, aider, gptme, opencode, or one of
    baton.toml) or any command; {prompt}, {prompt_file}, {worktree} and {task} are filled in.
    """
    if drain and once:
        raise click.UsageError("give --drain or --once, not both")
    wishes = Wishes(drain=drain, once=once, echo=request.output.verbose, **options)
    with WorkScreen(request.output) as screen:
        audience = Audience(screen.show)
        with (
            Outpost(request.app, audience.tell).working(wishes) as worker,
            draining_on_signals(worker) as interrupted,
            audience.following(worker),
        ):
            failed = worker.run()
    if interrupted:
        return 130
    return 1 if failed and (drain or once) else 0
