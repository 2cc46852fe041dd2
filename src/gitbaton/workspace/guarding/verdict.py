"""Whether a commit or push for a task may go on, by what is known without the network (pure).

What does not concern a task passes. What is known to be somebody else's, or nobody's, is blocked.
What cannot be known offline blocks a push, which others see (I9), and only warns at a commit, which
can be undone: a claim that has run out may be good still, and a branch that is called like a task's
may be nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import TaskId, task_id

Act: TypeAlias = Literal["commit", "push"]
Ruling: TypeAlias = Literal["pass", "warn", "block"]
Record: TypeAlias = Literal["ours", "others", "nobody", "no task", "unknown"]
Stored: TypeAlias = Literal["mine", "run out", "others", "none"]


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known here of one task.

    ``record``: whose it is by the record itself, where that can be read without the network: the
    holder of the token that this session has (``ours``), somebody else, nobody; or there is no
    such task. ``shown``: the environment has a token for it. ``stored``: whose the token is that
    is kept in this clone; ``run out``: mine, and not renewed for longer than its lease.
    ``exists``: the board as it was last seen here has such a task. ``holder``: who has it, for
    people.
    """

    record: Record = "unknown"
    shown: bool = False
    stored: Stored = "none"
    exists: bool = False
    holder: str | None = None


class Verdict(Struct, frozen=True):
    """The ruling on one task, why, and the next command."""

    ruling: Ruling
    task: str
    reason: str = ""
    next: str | None = None


def concerned(*, named: str | None, branches: Iterable[str], prefix: str) -> list[TaskId]:
    """Return the tasks that an act concerns, each once.

    ``named``: BATON_TASK. ``branches``: short names of those that are committed on, or pushed
    to; ``<prefix><id>`` is the branch of the task ``<id>``. What is no id names no task.
    """
    words = [named] if named else []
    words += [name.removeprefix(prefix) for name in branches if prefix and name.startswith(prefix)]
    found: dict[TaskId, None] = {}
    for word in words:
        try:
            found[task_id(word)] = None
        except InvalidInput:
            continue
    return list(found)


def judge(act: Act, task: str, evidence: Evidence) -> Verdict:
    """Return whether ``act`` may go on for ``task``."""
    holder = f": {evidence.holder} has it" if evidence.holder else ""
    if evidence.record in ("ours", "no task"):
        return Verdict("pass", task)
    if evidence.record == "others":
        return Verdict("block", task, f"somebody else holds it{holder}", f"baton show {task}")
    if evidence.record == "nobody":
        return Verdict("block", task, "nobody holds it", f"baton claim {task}")
    if evidence.shown or evidence.stored == "mine":
        return Verdict("pass", task)
    if evidence.stored == "others":
        return Verdict("block", task, f"another session holds it{holder}", f"baton show {task}")
    ruling: Ruling = "block" if act == "push" or evidence.exists else "warn"
    if evidence.stored == "run out":
        reason = "its claim was not renewed for longer than its lease, so others may have it"
        return Verdict("block" if act == "push" else "warn", task, reason, f"baton renew {task}")
    return Verdict(ruling, task, "no claim of it was made from this clone", f"baton claim {task}")
