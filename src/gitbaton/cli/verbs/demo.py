"""``baton demo``: the guided tour."""

from __future__ import annotations

import click

from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("demo")
@click.option("--keep", is_flag=True, help="Keep the directory, to look around.")
@click.option(
    "--sabotage",
    is_flag=True,
    hidden=True,
    help="Damage the result before it is verified: the tour must notice.",
)
def command(request: Request, keep: bool, sabotage: bool) -> int:
    """Show a fleet at work, on an embedded remote: no network, no API key, no trace.

    Three machines, six scripted agents, twenty tasks; a race, a killed worker, a late push. In
    the end everything that was promised is verified. Exit status 1: something was not kept, or
    went wrong on the way; then the directory is kept.
    """
    from gitbaton.cli.demo.performance import perform
    from gitbaton.cli.demo.tour import open_tour

    return perform(request.output, request.env, open_tour, keep=keep, sabotage=sabotage)
