"""Lists the branches of phases, and deletes those that have become part of their target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitbaton.cli.errors import DONE, REFUSED
from gitbaton.cli.output import Cell, Output
from gitbaton.cli.plan.finding import find_plan
from gitbaton.cli.request import Request
from gitbaton.headquarters import Headquarters
from gitbaton.orchestration.branches import PhaseBranch
from gitbaton.tasks.model import Task
from gitbaton.tasks.view import View

Fates = Mapping[str, str | None]


def show_branches(request: Request, plan: str | None, *, prune: bool, dry_run: bool) -> int:
    """Print the branches of ``plan`` (None: of all plans); ``prune``: delete what may go.

    Returns the exit status: 1 when a deletion was refused.
    """
    wanted = None if plan is None else find_plan(request, plan)
    view = request.app.queue.view()
    tasks = _of_any_plan(view) if wanted is None else _those(view, wanted.chart(view).phases)
    branches = Headquarters(request.app).branches
    found = branches.list(tasks, view.tasks.values())
    fates = branches.prune(found) if prune and not dry_run else {}

    def human(out: Output) -> None:
        _print(out, found, fates, prune=prune, dry_run=dry_run)

    documents = [_document(each, fates, prune=prune, dry_run=dry_run) for each in found]
    request.output.answer({"branches": documents, "dry_run": dry_run}, human)
    return REFUSED if any(fates.values()) else DONE


def _of_any_plan(view: View) -> list[Task]:
    return [task for _, task in sorted(view.tasks.items()) if task.plan is not None]


def _those(view: View, ids: Sequence[str]) -> list[Task]:
    return [view.find(id) for id in ids if id in view.tasks]


def _document(each: PhaseBranch, fates: Fates, *, prune: bool, dry_run: bool) -> dict[str, Any]:
    deleted = fates.get(each.branch, "") is None
    return {
        "task": each.task,
        "branch": each.branch,
        "target": each.target,
        "tip": each.tip,
        "merged": each.merged,
        "author": each.author,
        "landed": each.landed,
        "kept": each.kept or fates.get(each.branch),
        "deleted": deleted,
        "would_delete": prune and dry_run and each.kept is None,
    }


def _print(
    out: Output, found: Sequence[PhaseBranch], fates: Fates, *, prune: bool, dry_run: bool
) -> None:
    there = [each for each in found if each.tip is not None]
    if not there:
        out.say("no phase has a branch")
        return
    rows = [_row(each, fates, prune=prune, dry_run=dry_run) for each in there]
    out.table(("BRANCH", "TIP", "MERGED", "AUTHOR", "" if not prune else "NOW"), rows)
    if not prune and any(each.kept is None for each in there):
        out.hint("  next: baton plan branches --prune")


def _row(each: PhaseBranch, fates: Fates, *, prune: bool, dry_run: bool) -> tuple[Cell, ...]:
    if each.branch in fates:
        why = fates[each.branch]
        now: Cell = ("deleted", "green") if why is None else (f"refused: {why}", "red")
    elif prune:
        now = "would be deleted" if dry_run and each.kept is None else f"kept: {each.kept}"
    else:
        now = ""
    merged: Cell = ("yes", "green") if each.merged else "no"
    return each.branch, (each.tip or "")[:10], merged, each.author or "", now
