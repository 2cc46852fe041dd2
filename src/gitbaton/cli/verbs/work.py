"""``baton work``: runs agents on ready tasks, and lands what they do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import click

from gitbaton.cli.fields import DURATION
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.cli.watching import WorkScreen
from gitbaton.work.worker import Worker
from gitbaton.workshop import Wishes, Workshop


@verb("work")
@click.option("--agent", metavar="PROFILE|CMD", help="Who works: a profile, or any command.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Tasks at the same time.")
@click.option("--land", type=click.Choice(["branch", "merge"]), help="How results land.")
@click.option("--review", is_flag=True, help="Publish for review instead of finishing.")
@click.option("--check", "checks", multiple=True, metavar="CMD", help="Must succeed to land.")
@click.option("--setup", multiple=True, metavar="CMD", help="Run first in each fresh worktree.")
@click.option("--drain", is_flag=True, help="End when nothing is left to do anywhere.")
@click.option("--once", is_flag=True, help="Work on one task; 75 if none is ready.")
@click.option("--timeout", type=DURATION, metavar="D", help="How long an attempt may take.")
@click.option("--lease", type=DURATION, metavar="D", help="How long a claim lasts unrenewed.")
@click.option("--name", metavar="WORKER", help="The worker's name; the default is HOST/wPID.")
@click.option("--cap", "capabilities", multiple=True, metavar="CAP", help="Something it can do.")
def command(
    request: Request,
    agent: str | None,
    jobs: int | None,
    land: Literal["branch", "merge"] | None,
    review: bool,
    checks: tuple[str, ...],
    setup: tuple[str, ...],
    drain: bool,
    once: bool,
    timeout: float | None,
    lease: float | None,
    name: str | None,
    capabilities: tuple[str, ...],
) -> int:
    """Claim ready tasks, run an agent on each in a worktree of its own, land the results.

    A result is published in the same push that finishes the task: whoever lost the claim
    meanwhile cannot publish; the work is saved to a rescue ref instead. The first ^C finishes
    the running tasks, the second stops them, saves their work and gives them back.

    The agent is a profile (claude, codex, gemini, aider, gptme, opencode, or one of
    baton.toml) or any command; {prompt}, {prompt_file}, {worktree} and {task} are filled in.
    """
    if drain and once:
        raise click.UsageError("give --drain or --once, not both")
    wishes = Wishes(
        agent=agent,
        jobs=jobs,
        land=land,
        review=review,
        checks=checks,
        setup=setup,
        timeout=timeout,
        lease=lease,
        name=name,
        capabilities=capabilities,
        once=once,
        drain=drain,
        echo=request.output.verbose,
    )
    with WorkScreen(request.output) as screen:
        workshop = Workshop(request.app, screen.show)
        worker, _ = workshop.worker(wishes)
        with workshop.hearts, _signals(worker) as interrupted:
            failed = worker.run()
    if interrupted:
        return 130
    return 1 if failed and (drain or once) else 0


@contextmanager
def _signals(worker: Worker) -> Iterator[list[int]]:
    """Drain on the first SIGINT; stop on the second, and on SIGTERM. Gives the signals received.

    The handler only sets flags: the loop and the slots look at them a few times a second.
    """
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        if len(received) == 1 and number == signal.SIGINT:
            worker.drain()
        else:
            worker.stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
