"""What waits in this clone, and what dead workers left in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from gitbaton.app import App
from gitbaton.cli.doctor.finding import Finding, failed, note, ok, warning
from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.layout import Layout
from gitbaton.work.record import load_record, recorded_names
from gitbaton.work.strays import find_strays
from gitbaton.workshop import Workshop

_UNSEEN: Final = "a process of another container, which cannot be seen from here,"
_TAKE_OVER: Final = "once it has ended: baton gc --take-over"


def examine_outbox(app: App, workshop: Workshop) -> Iterator[Finding]:
    """Say what waits to be sent. What a living process is about to send is none of it."""
    entries = workshop.outbox.entries()
    unseen = sorted({e.task for e in entries if e.owner and app.owners.judge(e.owner) is None})
    if unseen:
        text = f"{_UNSEEN} is about to send what waits for {', '.join(unseen)}"
        yield warning("outbox", text, next=_TAKE_OVER)
    waiting = [e for e in entries if e.owner is None or not app.owners.is_alive(e.owner)]
    if not waiting and not unseen:
        yield ok("outbox", "nothing waits to be sent", detail=True)
    if not waiting:
        return
    kinds = ", ".join(
        f"{number} {kind}" for kind, number in sorted(Counter(e.kind for e in waiting).items())
    )
    yield warning("outbox", f"waiting since {waiting[0].at}: {kinds}", next="baton sync")


def examine_rescues(
    workshop: Workshop, refs: Mapping[str, Oid] | None, layout: Layout
) -> Iterator[Finding]:
    """Say which rescues are kept in this clone and are not on the remote.

    ``refs``: what is on the remote; None where that is not known.
    """
    waiting = {entry.body.get("commit") for entry in workshop.outbox.entries()}
    for rescue, commit in workshop.rescuer.kept().items():
        pushed = commit not in waiting if refs is None else layout.target(rescue) in refs
        if pushed:
            continue
        text = f"work of {rescue.task} (epoch {rescue.epoch}) is kept in this clone only"
        yield warning("rescues", text, next="baton sync")


def examine_worktrees(app: App, workshop: Workshop) -> Iterator[Finding]:
    """Find worktrees and processes of workers that have died, and directories that are nobody's."""
    names = recorded_names(app.repository)
    for name in names:
        try:
            record = load_record(app.repository, name)
        except BatonError as error:
            yield failed("worktrees", error)
            continue
        verdict = True if record is None else app.owners.judge(record.owner)
        if record is None or verdict:
            continue
        if verdict is None:
            claim = f"{record.task} (epoch {record.epoch})"
            yield warning("worktrees", f"{record.path}: {_UNSEEN} has {claim}", next=_TAKE_OVER)
            continue
        yield warning(
            "worktrees",
            f"{record.path}: the worker of {record.task} (epoch {record.epoch}) has died",
            next="baton gc saves what is in it, as does the next baton work",
        )
        pids = sorted(process.pid for process in find_strays(record.nonce))
        if pids:
            numbers = " ".join(map(str, pids))
            text = f"what the agent of {record.task} started is still running: {numbers}"
            yield warning("processes", text, next=f"kill {numbers}")
    place = workshop.place / "worktrees"
    known = {place / name for name in names}
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.is_dir() and path not in known:
            yield note("worktrees", f"{path} is no worktree that baton knows; it is left alone")
