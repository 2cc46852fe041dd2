"""``baton init``: sets the clone up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb

if TYPE_CHECKING:
    from gitbaton.app import App


@verb("init")
@click.option("--remote", metavar="NAME", help="Coordinate through this git remote.")
@click.option("--sqlite", is_flag=True, help="Coordinate on this machine only, without a remote.")
@click.option(
    "--hooks/--no-hooks",
    default=None,
    help="Put in the git hooks that guard tasks, after those that are there; or take them out.",
)
def command(request: Request, remote: str | None, sqlite: bool, hooks: bool | None) -> None:
    """Set this clone up. May be run again at any time.

    Without options the remote `origin` is used, else the only one there is, else a database on
    this machine. Nothing is committed to any code branch, and git's configuration, index and
    refs are not touched.

    With --hooks a commit or push for a task that this session does not hold is refused. Hooks that
    are there are run first, and are put back by --no-hooks.
    """
    from gitbaton.app import init_app

    if remote and sqlite:
        raise click.UsageError("give --remote or --sqlite, not both")
    app, changed = init_app(request.directory, request.env, remote=remote, sqlite=sqlite)
    settings = app.settings
    guards = None if hooks is None else _set_hooks(app, wanted=hooks)

    def human(out: Output) -> None:
        words = "set up" if changed else "already set up"
        if settings.engine == "git":
            out.say(f"{words}: through the git remote {settings.remote!r} ({settings.namespace}*)")
        elif sqlite:
            out.say(f"{words}: on this machine only (sqlite), as asked")
        else:
            out.say(f"{words}: on this machine only (sqlite); this clone has no remote")
        for path in guards or ():
            out.say(f"  guarded by {path}" if hooks else f"  as before our hooks: {path}")
        if hooks is False and not guards:
            out.say("  there were no hooks of ours")
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
        "hooks": None if guards is None else [str(path) for path in guards],
    }
    request.output.answer(document, human)


def _set_hooks(app: App, *, wanted: bool) -> list[Path]:
    from gitbaton.workspace.guarding.installation import Installation

    installation = Installation(app.clone, sys.executable)
    if wanted:
        return installation.install(prefix=app.last_known_prefix)
    return installation.remove()
