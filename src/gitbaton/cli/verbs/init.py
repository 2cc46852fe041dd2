"""``baton init``: sets the clone up."""

from __future__ import annotations

import click

from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("init")
@click.option("--remote", metavar="NAME", help="Coordinate through this git remote.")
@click.option("--sqlite", is_flag=True, help="Coordinate on this machine only, without a remote.")
@click.option("--hooks", is_flag=True, help="Also install the hooks that guard shared checkouts.")
def command(request: Request, remote: str | None, sqlite: bool, hooks: bool) -> None:
    """Set this clone up. May be run again at any time.

    Without options the remote `origin` is used, else the only one there is, else a database on
    this machine. Nothing is committed to any code branch, and git's configuration, index and
    refs are not touched.
    """
    from gitbaton.app import init_app

    if remote and sqlite:
        raise click.UsageError("give --remote or --sqlite, not both")
    if hooks:
        raise click.UsageError("--hooks: there are no hooks to install in this version")
    app, changed = init_app(request.directory, request.env, remote=remote, sqlite=sqlite)
    settings = app.settings

    def human(out: Output) -> None:
        words = "set up" if changed else "already set up"
        if settings.engine == "git":
            out.say(f"{words}: through the git remote {settings.remote!r} ({settings.namespace}*)")
        elif sqlite:
            out.say(f"{words}: on this machine only (sqlite), as asked")
        else:
            out.say(f"{words}: on this machine only (sqlite); this clone has no remote")
        out.hint(f"  state is kept in {app.state}")
        out.hint('  next: baton add "What is to be done"')

    document = {
        "engine": settings.engine,
        "remote": settings.remote,
        "namespace": settings.namespace,
        "board": settings.board,
        "target": settings.target,
        "state": str(app.state),
        "changed": changed,
    }
    request.output.answer(document, human)
