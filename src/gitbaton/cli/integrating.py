"""How the integration of a branch with its upstream is shown: `sync`, `commit --push`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Final

from gitbaton.checkout import Checkout
from gitbaton.cli.guarding import guard_checkout
from gitbaton.cli.pathtext import path_text
from gitbaton.cli.request import Request
from gitbaton.core.errors import Refused
from gitbaton.workspace.integration.following import Kept
from gitbaton.workspace.integration.outcome import Integrated

_SHOWN: Final = 20  # files that are named one by one
_WORDS: Final = {
    "staged": "is staged in another version, which stays",
    "conflict": "has a conflict, which stays",
    "changed": "is changed here, and stays as it is",
    "in the way": "is here untracked, and stays as it is",
    "unsafe": "could not be written",
}


def push_branch(request: Request, checkout: Checkout, wait: float, patience: float) -> Integrated:
    """Bring the branch of ``checkout`` onto its upstream and push it.

    Raises Refused where there is nothing to push to, or it is for a task that this session does
    not hold (as our pre-push hook does), and as ``Integration.run``.
    """
    guard_checkout(request, checkout, "push")
    done = checkout.integration(wait=wait, patience=patience).run(publish=True)
    if done is None:
        raise Refused(
            "there is nothing to push to: HEAD is detached, or its branch has no upstream",
            code="no_upstream",
            next="git push -u REMOTE BRANCH",
        )
    return done


def integrated_document(done: Integrated) -> dict[str, Any]:
    """Return what became of the branch, as JSON; paths as ``path_text`` has them."""
    return {
        "name": done.branch.removeprefix("refs/heads/"),
        "upstream": done.upstream,
        "before": done.before,
        "commit": done.after,
        "way": done.way,
        "updated": done.updated,
        "kept": [
            {"path": path_text(kept.path), "why": kept.why, "reason": kept.reason or None}
            for kept in done.kept
        ],
        "pushed": done.pushed,
        "dropped": done.dropped,
    }


def tell_integrated(say: Callable[[str], None], done: Integrated) -> None:
    """Say what became of the branch, and which files stayed behind."""
    name = done.branch.removeprefix("refs/heads/")
    if done.way == "nothing":
        say(f"{name}: " + ("nothing new" if not done.pushed else f"pushed to {done.upstream}"))
    else:
        after = "" if done.after is None else f" at {done.after[:10]}"
        pushed = ", and pushed" if done.pushed else ""
        files = "1 file follows" if done.updated == 1 else f"{done.updated} files follow"
        say(f"{name}: {done.way} with {done.upstream}{after}{pushed}; {files}")
    if done.dropped:
        what = "1 commit" if done.dropped == 1 else f"{done.dropped} commits"
        say(f"  {done.upstream} has taken back {what}; as it was: git log {done.before}")
    for kept in done.kept[:_SHOWN]:
        reason = f" ({kept.reason})" if kept.reason else ""
        say(f"  {shlex.quote(_text(kept))} {_WORDS[kept.why]}{reason}")
    if len(done.kept) > _SHOWN:
        say(f"  and {len(done.kept) - _SHOWN} more stay as they are")
    if done.kept:
        say(
            "  upstream has other versions of these; before one is committed: "
            f"baton sync --merge {shlex.quote(_text(done.kept[0]))}"
        )


def _text(kept: Kept) -> str:
    return kept.path.decode("utf-8", "backslashreplace")
