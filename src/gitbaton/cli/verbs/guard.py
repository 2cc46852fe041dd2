"""``baton guard``: what the git hooks of ``baton init --hooks`` ask."""

from __future__ import annotations

import sys

import click

from gitbaton.cli.guarding import require_holder
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb

_REFS = "refs/heads/"


@verb("guard")
@click.argument("hook", metavar="HOOK", type=click.Choice(["pre-commit", "pre-push"]))
@click.argument("rest", metavar="[ARG]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--prefix", metavar="PREFIX", help="What the branches of tasks begin with.")
def command(request: Request, hook: str, rest: tuple[str, ...], prefix: str | None) -> None:
    """Say whether a commit or push may go on: exit status 1 if not.

    Called by git's hook of that name, or by the pre-commit framework. A commit or push concerns a
    task by the name of its branch (task/ID) or by BATON_TASK; what concerns none passes. Nothing is
    asked of the network. A commit that was killed here before is tidied up first.
    """
    prefix = prefix if prefix is not None else request.app.last_known_prefix
    if hook == "pre-commit":
        _tidy(request)
        require_holder(request, "commit", _standing(request), prefix=prefix)
    else:
        require_holder(request, "push", _pushed(request), prefix=prefix)


def _tidy(request: Request) -> None:
    """Finish or take back what a killed `baton commit` left: else this commit would take it in."""
    from gitbaton.checkout import Checkout

    tree = Checkout(request.directory, request.env, command="git commit", tell=request.output.note)
    if tree.replay():
        request.output.note("baton: tidied up after a commit that was killed here")


def _standing(request: Request) -> list[str]:
    from gitbaton.git.head import read_branch
    from gitbaton.git.workingtree import WorkingTree

    branch = read_branch(WorkingTree.find(request.directory, request.env))
    return [branch.removeprefix(_REFS)] if branch else []


def _pushed(request: Request) -> list[str]:
    """Return the branches that are pushed to: as git tells them (githooks(5)), or pre-commit."""
    told = request.env.get("PRE_COMMIT_REMOTE_BRANCH")
    if told:
        return [told.removeprefix(_REFS)]
    words = (line.split(" ") for line in sys.stdin.read().splitlines())
    return [line[2].removeprefix(_REFS) for line in words if len(line) == 4]
