"""What an agent is told: the task, the rules, and what was said about it before. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gitbaton.tasks.model import Remark, Task

REMARK_LIMIT: Final = 4000
"""Characters of one remark; longer ones are cut."""

REMARKS_LIMIT: Final = 24_000
"""Characters of all remarks together; the newest are kept."""

_SAID: Final = {
    "answer": "{by} answered",
    "question": "{by} asked",
    "rejected": "{by} rejected an earlier result",
    "failed": "An earlier attempt failed ({by})",
    "reset": "An earlier attempt was ended ({by})",
}
# For these the end says what went wrong; for what people write, the beginning does.
_ENDS_MATTER: Final = frozenset({"failed", "reset"})


def build_prompt(task: Task, *, branch: str, target: str) -> str:
    """Return the prompt for the next attempt at ``task``.

    ``branch`` is the one checked out in the worktree, ``target`` the one it was started from.
    The text starts with a letter, contains no NUL, and can be encoded as UTF-8.
    """
    sections = [
        f"Task {task.id}: {_line(task.title)}",
        task.body.strip(),
        _section("What must exist when you are done", task.deliverable or ""),
        _section("Checks that will be run, and must pass", _bullets(task.checks)),
        _section("Change only files that match", _bullets(task.paths)),
        _section("What was said about this task before (newest last)", _history(task.remarks)),
        _section("How to work here", _rules(task, branch, target)),
    ]
    text = "\n\n".join(section for section in sections if section) + "\n"
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _rules(task: Task, branch: str, target: str) -> str:
    rules = [
        f"You are in a git worktree of your own, on the branch {branch}, which was started from "
        f"{target}. Work only in this directory.",
        "Commit your work, or leave it uncommitted: it will be committed for you.",
        "Do not push, do not switch branches, do not rewrite commits that were there before you. "
        "Publishing the result is done for you once you have finished.",
        "Do not use git stash: the stash is shared with other agents.",
        "Do not edit .git or run other baton commands than the one below. "
        "No one sees what you ask on the terminal; do not wait for input.",
        "If you cannot go on without a person's decision, run this and then stop:\n"
        '  baton block --reason "your question, with what you need to know"',
        "When you are done, exit. If you could not do it, say why and exit with an error.",
    ]
    if task.claim is not None and task.epoch > 1:
        rules.insert(1, "There were attempts before yours; what they left may not be here.")
    return _bullets(rules)


def _history(remarks: Sequence[Remark]) -> str:
    kept: list[str] = []
    room = REMARKS_LIMIT
    for remark in reversed(remarks):
        text = _remark(remark)
        if len(text) > room:
            kept.append(f"({len(remarks) - len(kept)} older ones are left out.)")
            break
        room -= len(text)
        kept.append(text)
    return "\n\n".join(reversed(kept))


def _remark(remark: Remark) -> str:
    said = _SAID.get(remark.kind, "{by} noted").format(by=_line(remark.by))
    text = remark.text.strip()
    if len(text) > REMARK_LIMIT:
        if remark.kind in _ENDS_MATTER:
            text = "[beginning left out]\n" + text[-REMARK_LIMIT:]
        else:
            text = text[:REMARK_LIMIT] + "\n[rest left out]"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{said}, {remark.at}:\n{fence}\n{text}\n{fence}"


def _section(title: str, text: str) -> str:
    return f"{title}:\n{text.strip()}" if text.strip() else ""


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _line(text: str) -> str:
    return " ".join(text.split())
