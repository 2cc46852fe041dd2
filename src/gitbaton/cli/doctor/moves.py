"""Commits that were killed in a working tree of this clone, and could not be tidied up since."""

from __future__ import annotations

from collections.abc import Iterator

from gitbaton.app import App
from gitbaton.checkout import Checkout
from gitbaton.cli.doctor.finding import Finding, note, ok, problem, warning
from gitbaton.core.errors import BatonError
from gitbaton.workspace.safecommit.journal import unfinished


def examine_moves(app: App) -> Iterator[Finding]:
    """Try once more to finish each, and say what is in the way. One that is under way is none."""
    tops = unfinished(app.state)
    for top in tops:
        if not top.is_dir():
            yield warning(
                "commits",
                f"a commit in {top} was killed half-way, and that directory is gone",
                next="git worktree prune, or git worktree repair PATH if it was moved",
            )
            continue
        try:
            done = Checkout(top, app.env, command="baton doctor", clock=app.clock).replay()
        except BatonError as error:
            yield problem(
                "commits",
                f"a commit in {top} was killed half-way, and cannot be tidied up: {error.message}",
                next=error.next,
            )
        else:
            if done:
                yield note("commits", f"tidied up after a commit that was killed in {top}")
    if not tops:
        yield ok("commits", "no commit was left half-way", detail=True)
