"""``baton rescue``: finds, gets back or files away work that could not land."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gitbaton.app import App
from gitbaton.cli.errors import DONE, error_document, exit_status
from gitbaton.cli.output import Cell, Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import family
from gitbaton.core.errors import BatonError, Refused
from gitbaton.core.ids import Oid, branch_name
from gitbaton.store.model import Branch, Move
from gitbaton.work.archive import Found
from gitbaton.work.holdings import Left, find_left
from gitbaton.work.record import ClaimRecord
from gitbaton.workshop import Workshop

command = family(
    "rescue",
    """Find, get back or file away work that could not land.

    When a claim is lost or an attempt fails, what its agent made is kept under a rescue ref:
    nothing is thrown away.
    """,
)


@command.member("list")
def list_rescues(request: Request) -> int:
    """List rescues, and worktrees that had to be kept.

    Rescues are on the remote, or here until the next sync. A worktree is kept when it holds what
    a commit cannot carry, such as ignored files.
    """
    app = request.app
    workshop = Workshop(app, lambda _: None)
    obstacle: BatonError | None = None
    try:
        found = workshop.rescues.all()
        current = _current_claims(app)
    except BatonError as error:  # what is here can be told all the same
        obstacle, found, current = error, workshop.rescues.here(), None
    left = find_left(
        app.repository,
        in_use=lambda record: _in_use(app, record, current),
        published=[Oid(oid) for oid in app.repository.kept().values()],
        throw_away=app.config.work.throw_away,
    )
    document = {
        "rescues": [_document(item) for item in found],
        "worktrees": [_left_document(item) for item in left],
        **(error_document(obstacle) if obstacle is not None else {}),
    }
    request.output.answer(document, lambda out: _print(out, found, left, obstacle))
    return DONE if obstacle is None else exit_status(obstacle)


@command.member("restore")
@click.argument("wanted", metavar="ID[/EPOCH]|COMMIT")
@click.option("--branch", metavar="NAME", help="The branch to make; default rescue/ID-eEPOCH.")
def restore(request: Request, wanted: str, branch: str | None) -> None:
    """Make a branch in this clone at rescued work. A branch that exists is left alone.

    ID alone means its latest epoch.
    """
    app = request.app
    workshop = Workshop(app, lambda _: None)
    found = _only(workshop.rescues.find(wanted, _known(workshop)), wanted)
    rescue = found.rescue
    name = branch or f"rescue/{rescue.task}-e{rescue.epoch}"
    branch_name(name, field="--branch")
    _make_branch(app, name, rescue.oid)
    document = {**_document(found), "branch": name}
    request.output.answer(document, lambda out: _print_restored(out, found, name))


@command.member("drop")
@click.argument("wanted", metavar="ID[/EPOCH]|COMMIT...", nargs=-1, required=True)
def drop(request: Request, wanted: tuple[str, ...]) -> None:
    """File rescues away: their refs go, their commits stay.

    Each becomes a parent of the branch baton-rescue in the same push that deletes its ref. So
    nothing is destroyed and nothing is asked: git log origin/baton-rescue reaches all of it. ID
    alone means all of its epochs.
    """
    app = request.app
    rescues = Workshop(app, lambda _: None).rescues
    known = rescues.all()
    chosen = {item.rescue: item for word in wanted for item in rescues.find(word, known)}
    folded = rescues.drop(list(chosen), actor=app.identity.actor)
    document = {
        "dropped": [_document(chosen[rescue]) for rescue in folded],
        "branch": rescues.archive.branch,
    }

    def human(out: Output) -> None:
        for rescue in folded:
            out.say(f"filed away {rescue.task}/{rescue.epoch} {rescue.oid[:10]}")
        out.hint(f"  they are in the history of {rescues.archive.branch}")

    request.output.answer(document, human)


def _known(workshop: Workshop) -> list[Found]:
    """Return all rescues; while the remote is away, those that are kept here, if there are any."""
    try:
        return workshop.rescues.all()
    except BatonError:
        here = workshop.rescues.here()
        if not here:
            raise
        return here


def _only(found: Sequence[Found], wanted: str) -> Found:
    """Return the one of the latest epoch; raise Refused when there are several."""
    latest = max(item.rescue.epoch for item in found)
    several = [item for item in found if item.rescue.epoch == latest]
    if len(several) > 1:
        names = ", ".join(item.rescue.oid[:10] for item in several)
        raise Refused(
            f"{wanted!r} means {len(several)} rescues: {names}",
            code="ambiguous",
            next=f"baton rescue restore {several[-1].rescue.oid[:10]}",
        )
    return several[0]


def _make_branch(app: App, name: str, commit: Oid) -> None:
    """Make a branch in the clone, or raise Refused where there is one already."""
    from gitbaton.workspace.mover import CloneMover

    there = app.clone.git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{name}", check=False)
    moved = (
        {}
        if there.status == 0
        else CloneMover(app.repository).move([Move(Branch(name), None, commit)])
    )
    if there.status == 0 or moved:
        raise Refused(
            f"there is a branch {name!r} already",
            code="exists",
            next=f"git log {name}, or give another --branch",
        )


def _current_claims(app: App) -> set[tuple[str, int]]:
    tasks = app.queue.view().tasks.values()
    return {(task.id, task.claim.epoch) for task in tasks if task.claim is not None}


def _in_use(app: App, record: ClaimRecord, current: set[tuple[str, int]] | None) -> bool:
    """Tell whether an agent may still be at work there; where that is not known, it may."""
    alive = app.owners.is_alive(record.owner)
    return alive and (current is None or (record.task, record.epoch) in current)


def _document(found: Found) -> dict[str, object]:
    return {
        "task": found.rescue.task,
        "epoch": found.rescue.epoch,
        "commit": found.rescue.oid,
        "subject": found.subject,
        "at": found.at or None,
        "where": found.where,
    }


def _left_document(left: Left) -> dict[str, object]:
    return {
        "task": left.task,
        "epoch": left.epoch,
        "path": str(left.path),
        "reasons": left.reasons,
        "unique": left.unique,
    }


def _print(
    out: Output, found: Sequence[Found], left: Sequence[Left], obstacle: BatonError | None
) -> None:
    if found:
        rows: list[Sequence[Cell]] = [
            (
                f"{item.rescue.task}/{item.rescue.epoch}",
                item.rescue.oid[:10],
                item.at[:10],
                ("remote", "") if item.where == "remote" else ("here", "yellow"),
                item.subject,
            )
            for item in found
        ]
        out.table(("TASK", "COMMIT", "MADE", "WHERE", "SUBJECT"), rows)
        out.hint(f"  next: baton rescue restore {found[-1].rescue.task}")
    elif obstacle is None:
        out.say("no rescue")
    for item in left:
        out.say(f"kept worktree {item.path} ({item.task} epoch {item.epoch})")
        for reason in item.reasons:
            out.say(f"  - {reason}")
        if not item.reasons:
            out.hint("  next: baton gc")
    if obstacle is not None:
        out.complain(f"baton: {obstacle.message}")
        if obstacle.next:
            out.complain(f"  next: {obstacle.next}")


def _print_restored(out: Output, found: Found, branch: str) -> None:
    rescue = found.rescue
    out.say(f"branch {branch} is at {rescue.oid[:10]}: {found.subject}")
    out.hint(f"  look: git log -p HEAD..{branch}")
    out.hint(f"  take it: git merge {branch}; then: baton rescue drop {rescue.task}/{rescue.epoch}")
