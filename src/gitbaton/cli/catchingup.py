"""`baton sync --merge PATH` and `--mine PATH`: files that stayed behind when upstream came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gitbaton.checkout import Checkout
from gitbaton.cli.commit.reading import read_paths
from gitbaton.cli.errors import DONE, REFUSED
from gitbaton.cli.output import Output
from gitbaton.cli.pathtext import path_text
from gitbaton.cli.request import Request
from gitbaton.workspace.integration.catching_up import CaughtUp
from gitbaton.workspace.safecommit.naming import shown

_WORDS: Final = {
    "merged": "has both sides now",
    "conflicts": "has both sides now, with markers where both changed the same lines",
    "by hand": "cannot be merged by itself; compare with: git diff HEAD --",
    "current": "was not behind",
}


def catch_up_files(
    request: Request, merged: Sequence[str], mine: Sequence[str], wait: float | None
) -> int:
    """Merge into ``merged``, take ``mine`` as they are, and return the exit status.

    1 where a file is left to do by hand. Raises Refused for one that did not stay behind.
    """
    checkout = Checkout(
        request.directory, request.env, command="baton sync", tell=request.output.note
    )
    patience = float(checkout.section.wait) if wait is None else wait
    kept = read_paths(mine, checkout.tree)
    done = checkout.catch_up(read_paths(merged, checkout.tree), kept, wait=patience)
    document = {
        "merged": [{"path": path_text(item.path), "fate": item.fate} for item in done],
        "mine": [path_text(path) for path in kept],
    }
    request.output.answer(document, lambda out: _tell(out, done, kept))
    return REFUSED if any(item.fate in ("conflicts", "by hand") for item in done) else DONE


def _tell(out: Output, done: Sequence[CaughtUp], kept: Sequence[bytes]) -> None:
    for item in done:
        name = shown(item.path)
        out.say(f"{name} {_WORDS[item.fate]}{f' {name}' if item.fate == 'by hand' else ''}")
        if item.fate == "conflicts":
            out.hint(f"  next: resolve them in the file, then: baton commit {name} -m MSG")
        if item.fate == "by hand":
            out.hint(f"  next: when it is as it shall be: baton sync --mine {name}")
    for path in kept:
        out.say(f"{shown(path)} may be committed as it is")
