"""``baton commit``: exactly the named files, from a working tree that many share."""

from __future__ import annotations

from functools import partial

import click

from gitbaton.checkout import Checkout
from gitbaton.cli.commit.echo import Echo
from gitbaton.cli.commit.reading import read_message, read_paths
from gitbaton.cli.commit.report import document, tell
from gitbaton.cli.errors import DONE, error_document, exit_status
from gitbaton.cli.fields import DURATION
from gitbaton.cli.guarding import guard_checkout, guard_move
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError, Refused
from gitbaton.workspace.safecommit.guards import Limits
from gitbaton.workspace.safecommit.moving import PATIENCE
from gitbaton.workspace.safecommit.request import CommitRequest, Committed
from gitbaton.workspace.snapshot.proposal import HookFailed


@verb("commit")
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "--message", "texts", metavar="MSG", multiple=True, help="The message.")
@click.option("-F", "--file", metavar="FILE", help="Read the message from FILE (-: stdin).")
@click.option("--amend", is_flag=True, help="Replace one's own last commit, if not pushed.")
@click.option("--check", is_flag=True, help="Run all guards and hooks, and move nothing.")
@click.option("-r", "--recursive", is_flag=True, help="Take directories with all below them.")
@click.option("--max-deletions", type=click.IntRange(0), metavar="N", help="Files it may remove.")
@click.option("--max-file-size", type=click.IntRange(1), metavar="BYTES", help="Of one file.")
@click.option("--push", is_flag=True, help="Then bring in what others pushed, and push.")
@click.option("--wait", type=DURATION, metavar="D", help="How long to wait for others' locks.")
def command(
    request: Request,
    paths: tuple[str, ...],
    texts: tuple[str, ...],
    file: str | None,
    amend: bool,
    check: bool,
    recursive: bool,
    max_deletions: int | None,
    max_file_size: int | None,
    push: bool,
    wait: float | None,
) -> int:
    """Commit the files PATH as they are on disk, and nothing else.

    What others have staged, edited or left lying about in the same working tree neither gets into
    the commit nor is touched by it. Hooks run on exactly what is committed. Name both paths of a
    file that was renamed, and the path of one that was removed. No pattern is expanded.
    """
    echo = Echo(request.output)
    checkout = Checkout(
        request.directory,
        request.env,
        command="baton commit",
        tell=request.output.note,
        show=echo.feed,
    )
    if push and check:
        raise click.UsageError("--check moves nothing, so there is nothing to --push")
    message = read_message(texts, file, request.directory)
    if message is None and not amend and paths:
        raise click.UsageError("say what the commit is about: -m MSG, or -F FILE")
    section = checkout.section
    wish = CommitRequest(
        paths=read_paths(paths, checkout.tree),
        message=message,
        amend=amend,
        check=check,
        recursive=recursive,
        wait=float(section.wait) if wait is None else wait,
        patience=PATIENCE if wait is None else wait,
        limits=Limits(
            deletions=section.max_deletions if max_deletions is None else max_deletions,
            file_size=section.max_file_size if max_file_size is None else max_file_size,
        ),
    )
    guard_checkout(request, checkout, "commit")
    try:
        done = _commit(checkout, wish, request, echo)
    except Refused as error:
        if push and error.code == "nothing":  # it may be committed and not pushed
            error.next = "baton sync --push"
        raise
    if not push:
        request.output.answer(document(done), lambda out: tell(out, done))
        return DONE
    return _push(checkout, wish, request, done)


def _push(checkout: Checkout, wish: CommitRequest, request: Request, done: Committed) -> int:
    """Push the commit that was made. It stands, whatever becomes of the push."""
    from gitbaton.cli.integrating import integrated_document, push_branch, tell_integrated

    if not request.output.json:
        tell(request.output, done)
    try:
        pushed = push_branch(request, checkout, wish.wait, wish.patience)
    except BatonError as error:
        if not request.output.json:
            raise
        request.output.document({**document(done), "push": None, **error_document(error)})
        return exit_status(error)
    if request.output.json:
        request.output.document({**document(done), "push": integrated_document(pushed)})
    else:
        tell_integrated(request.output.say, pushed)
    return DONE


def _commit(checkout: Checkout, wish: CommitRequest, request: Request, echo: Echo) -> Committed:
    try:
        permit = partial(guard_move, request, checkout)
        return checkout.commits(permit=permit).run(wish)
    except HookFailed as failed:
        if request.output.quiet:  # then nobody has seen what the hook says
            request.output.complain(failed.output.decode("utf-8", "replace").rstrip("\n"))
        raise
    finally:
        echo.end()
