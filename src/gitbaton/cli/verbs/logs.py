"""``baton logs``: shows what the agent of a task printed."""

from __future__ import annotations

from pathlib import Path

import click

from gitbaton.app import App
from gitbaton.cli.output import Output, neutralise
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError, Refused, RemoteUnreachable
from gitbaton.work.logbook import ClaimLog, LogReader, find_logs
from gitbaton.work.record import claim_name, load_record, recorded_names

_LOOK = 0.2  # seconds between looks at a log that is followed
_ASK = 15.0  # seconds of silence after which the remote is asked whether the claim still stands


@verb("logs")
@click.argument("task_id", metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on until the claim ends.")
@click.option(
    "--epoch", type=click.IntRange(min=1), metavar="N", help="Of that claim, not the latest."
)
@click.option("--step", metavar="NAME", help="Of a set-up command or a check, such as check-1.")
@click.option("--raw", is_flag=True, help="As it was printed, control sequences and all.")
def command(
    request: Request, task_id: str, follow: bool, epoch: int | None, step: str | None, raw: bool
) -> None:
    """Show what the agent of the task ID printed under its latest claim in this clone.

    Logs stay on the machine that the agent ran on; for a task of another one, this says which
    that is. What could steer a terminal is made visible, unless --raw says otherwise.
    """
    if raw and request.output.json:
        raise click.UsageError("give --raw or --json, not both")
    log = _find(request.app, task_id, epoch, step)
    show = _Printer(request.output, log, raw=raw)
    if follow:
        _follow(request.app, log, show)
    show.rest()
    _tell_others(request, log)


class _Printer:
    """Prints a log piece by piece: text, bytes as they are, or JSON."""

    def __init__(self, out: Output, log: ClaimLog, *, raw: bool) -> None:
        self._out, self._log, self._raw = out, log, raw
        self._reader = LogReader(log.path)
        self._unfinished = False

    def more(self) -> bool:
        """Print what is new; tell whether anything was."""
        return self._print(final=False)

    def rest(self) -> None:
        """Print what is left, up to the end. In JSON a log is never without a document."""
        printed = self._print(final=True)
        if self._out.json and not printed and not self._reader.started:
            self._document("")
        if self._unfinished:
            self._out.raw("\n")

    def _print(self, *, final: bool) -> bool:
        if self._raw:
            data = self._reader.read_bytes()
            self._out.raw_bytes(data)
            return bool(data)
        text = self._reader.read(final=final)
        if not text:
            return False
        if self._out.json:
            self._document(text)
        else:
            self._out.raw(neutralise(text.replace("\r\n", "\n")))
            self._unfinished = not text.endswith("\n")
        return True

    def _document(self, text: str) -> None:
        log = self._log
        self._out.document(
            {"task": log.task, "epoch": log.epoch, "path": str(log.path), "text": text}
        )


def _find(app: App, task: str, epoch: int | None, step: str | None) -> ClaimLog:
    """Return the log that was asked for; raise Refused naming who has it, or UnknownTask."""
    mine = [log for log in find_logs(app.logs) if log.task == task and epoch in (None, log.epoch)]
    # A claim that is only being set up has no log yet, and is the latest all the same.
    begun = [_parse(name) for name in recorded_names(app.repository)]
    epochs = {log.epoch for log in mine}
    epochs |= {number for name, number in begun if name == task and epoch in (None, number)}
    if not epochs:
        raise _elsewhere(app, task, epoch)
    latest = max(epochs)
    for log in mine:
        if log.epoch == latest and log.step == (step or ""):
            return log
    if step is not None:
        there = ", ".join(log.step for log in mine if log.epoch == latest and log.step) or "none"
        raise Refused(
            f"epoch {latest} of {task!r} has no log of {step!r} (there: {there})",
            next=f"baton logs {task}",
        )
    return ClaimLog(task, latest, "", app.logs / f"{claim_name(task, latest)}.log")


def _parse(name: str) -> tuple[str, int]:
    task, _, epoch = name.rpartition("-e")
    return task, int(epoch)


def _elsewhere(app: App, id: str, epoch: int | None) -> BatonError:
    task = app.queue.get(id)
    which = f"epoch {epoch} of {id!r}" if epoch else repr(id)
    if task.claim is not None and epoch in (None, task.claim.epoch):
        claim = task.claim
        where = f"it is with {claim.agent} (worker {claim.worker} on {claim.machine})"
    else:
        claims = [e for e in app.queue.log(id) if e.event == "claim" and epoch in (None, e.epoch)]
        where = (
            f"{claims[0].actor} had it, at {claims[0].at}" if claims else "nobody claimed it yet"
        )
    return Refused(
        f"there is no log of {which} in this clone: {where}", code="no_log", next=f"baton show {id}"
    )


def _follow(app: App, log: ClaimLog, show: _Printer) -> None:
    """Print what is new until the claim has ended."""
    asked = app.clock.elapsed()
    while _goes_on(app, log):
        if show.more():
            asked = app.clock.elapsed()
        elif app.clock.elapsed() - asked > _ASK:
            asked = app.clock.elapsed()
            if not _stands(app, log):
                return
        app.clock.sleep(_LOOK)


def _goes_on(app: App, log: ClaimLog) -> bool:
    """Tell whether this clone has a worktree for the claim, in the hands of a living worker."""
    try:
        record = load_record(app.repository, claim_name(log.task, log.epoch))
    except BatonError:
        return False
    return record is not None and app.owners.is_alive(record.owner)


def _stands(app: App, log: ClaimLog) -> bool:
    """Tell whether the claim is current on the remote; an unreachable one takes nothing away.

    A worktree may outlive its claim: it is kept where a commit cannot hold all that is in it.
    """
    try:
        claim = app.queue.get(log.task).claim
    except RemoteUnreachable:
        return True
    return claim is not None and claim.epoch == log.epoch


def _tell_others(request: Request, log: ClaimLog) -> None:
    steps = [
        other.step
        for other in find_logs(Path(request.app.logs))
        if (other.task, other.epoch) == (log.task, log.epoch) and other.step not in ("", log.step)
    ]
    if steps and not request.output.json and not log.step:
        request.output.note(f"also here: --step {', --step '.join(steps)}")
