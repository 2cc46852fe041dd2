"""Says what a commit holds and what became of everything beside it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from gitbaton.cli.output import Output
from gitbaton.cli.pathtext import path_text
from gitbaton.workspace.safecommit.decision import name_branch
from gitbaton.workspace.safecommit.naming import shown
from gitbaton.workspace.safecommit.request import Committed, Superseded

_LISTED: Final = 12  # files that are named one by one


def document(done: Committed) -> dict[str, Any]:
    """Return ``done`` as it is printed under ``--json``; paths as ``path_text`` has them."""
    return {
        "commit": done.commit,
        "parent": done.parent,
        "branch": None if done.branch is None else path_text(os.fsencode(name_branch(done.branch))),
        "subject": done.subject,
        "amended": done.amended,
        "files": [{"path": path_text(path), "status": how} for path, how in done.files.items()],
        "unchanged": [path_text(path) for path in done.unchanged],
        "superseded": [
            {
                "path": path_text(item.path),
                "staged": None if item.staged is None else item.staged.oid,
                "kept": item.kept,
            }
            for item in done.superseded
        ],
        "returned": [
            {"path": path_text(item.path), "fate": item.fate, "reason": item.reason or None}
            for item in done.returned
        ],
        "dropped": [path_text(path) for path in done.dropped],
        "hooks": list(done.hooks),
        "output": done.output.decode("utf-8", "replace"),
    }


def tell(out: Output, done: Committed) -> None:
    """Print ``done`` for people: what is in the commit, then what they should know."""
    where = name_branch(done.branch)
    if done.commit is None:
        out.say(f"[{where}, not made] {done.subject}")
    else:
        out.say(f"[{where} {done.commit[:10]}] {done.subject}")
    if len(done.files) <= _LISTED:
        for path, how in done.files.items():
            out.say(f"  {how:8} {_name(path)}")
    else:
        out.say(f"  {_counted(done.files)}")
    for text in _notes(done):
        out.note(text)


def _notes(done: Committed) -> list[str]:
    notes = []
    if done.commit is None:
        notes.append("nothing was moved: guards and hooks pass; without --check it is committed")
    elif done.branch is None:
        notes.append(
            "HEAD is detached: no branch has this commit\n"
            f"  next: git branch NAME {done.commit[:10]}"
        )
    if done.unchanged:
        notes.append(f"as before: {', '.join(map(_name, done.unchanged))}")
    notes += [_superseded(item) for item in done.superseded]
    for placed in done.returned:
        if placed.fate == "changed":
            notes.append(
                f"{_name(placed.path)}: a hook's fix is committed; the file has been edited "
                "meanwhile and stays as it is"
            )
        elif placed.fate == "unsafe":
            notes.append(
                f"{_name(placed.path)}: a hook's fix is committed, and could not be written to "
                f"the file: {placed.reason}"
            )
        else:
            notes.append(f"{_name(placed.path)}: fixed by a hook")
    if done.dropped:
        names = ", ".join(map(_name, done.dropped))
        notes.append(f"hooks changed files that are not named; left out: {names}")
    return notes


def _superseded(item: Superseded) -> str:
    name = _name(item.path)
    if item.kept:
        return (
            f"{name}: somebody staged another version meanwhile, and it stays staged\n"
            f"  next: git diff --cached -- {name}"
        )
    if item.staged is None:
        return f"{name}: its removal was staged before; the commit has the file"
    return (
        f"{name}: another version was staged before; the index has the committed one now\n"
        f"  the other: git cat-file blob {item.staged.oid[:16]}"
    )


def _counted(files: Mapping[bytes, str]) -> str:
    counts = Counter(files.values())
    return f"{len(files)} files: " + ", ".join(f"{n} {how}" for how, n in sorted(counts.items()))


def _name(path: bytes) -> str:
    return shown(_text(path).encode())


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
