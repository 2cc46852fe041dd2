"""Reads a plan file and says what is wrong with it, with what the project and its workers say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.cli.errors import error_document
from gitbaton.cli.output import one_line
from gitbaton.cli.request import Request
from gitbaton.core.errors import BatonError, DamagedRecord, Refused
from gitbaton.plans.problem import Problem
from gitbaton.plans.validation import Surroundings, Verdict, validate_plan

if TYPE_CHECKING:
    from gitbaton.plans.registry.record import WorkerRecord
    from gitbaton.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Judged:
    """A file and the verdict on it. ``obstacle``: why project and workers could not be asked."""

    file: str
    verdict: Verdict
    obstacle: str | None = None

    @property
    def failure(self) -> Refused | None:
        """The error that the file amounts to, None if it may be run."""
        count = len(self.verdict.errors)
        if not count:
            return None
        words = "there is 1 error" if count == 1 else f"there are {count} errors"
        return Refused(
            f"{words} in {self.file}", code="invalid_plan", next=f"baton plan validate {self.file}"
        )


def judge_file(request: Request, file: Path, *, alone: bool) -> Judged:
    """Return the verdict on ``file``. ``alone``: nobody else is asked.

    Raises Refused when there is no such file.
    """
    data = read_plan_file(request, file)
    around, obstacle = (Surroundings(), None) if alone else _surroundings(request)
    return Judged(str(file), validate_plan(data, around), obstacle)


def read_plan_file(request: Request, file: Path) -> bytes:
    """Return the bytes of ``file``, as seen from ``-C DIR``; raise Refused."""
    try:
        return (request.directory / file).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        missing = isinstance(error, FileNotFoundError)
        raise Refused(
            f"{file}: {reason}",
            code="no_file",
            next=f"baton plan new {file}" if missing else None,
        ) from error


def problem_lines(judged: Judged) -> Iterator[str]:
    """Yield every problem in the form that editors jump to."""
    return (one_line(problem.located(judged.file)) for problem in judged.verdict.problems)


def problem_document(problem: Problem) -> dict[str, object]:
    """Return ``problem`` as JSON shows it."""
    return {
        "line": problem.line,
        "level": problem.level,
        "code": problem.code,
        "phase": problem.phase,
        "field": problem.field,
        "message": problem.message,
    }


def judged_document(judged: Judged) -> dict[str, object]:
    """Return the verdict as JSON shows it; with ``error`` if the plan may not be run."""
    plan, failure = judged.verdict.plan, judged.failure
    return {
        "file": judged.file,
        "valid": failure is None,
        "plan": plan.name if plan is not None else None,
        "phases": len(plan.phases) if plan is not None else None,
        "problems": [problem_document(problem) for problem in judged.verdict.problems],
        "not_asked": judged.obstacle,
        **(error_document(failure) if failure is not None else {}),
    }


def _known_workers(store: Store) -> dict[str, WorkerRecord]:
    """Return the registered workers; a record that cannot be read stands for none."""
    from gitbaton.plans.registry.record import decode_worker

    workers: dict[str, WorkerRecord] = {}
    for key, record in store.read("workers/").records.items():
        try:
            worker = decode_worker(key, record.value)
        except DamagedRecord:
            continue  # doctor shows it
        workers[worker.name] = worker
    return workers


def _surroundings(request: Request) -> tuple[Surroundings, str | None]:
    """Return what the project says; outside of one, or while it is away, why nobody was asked."""
    try:
        app = request.app
        protected, machine = app.protection(), app.config
        workers = _known_workers(app.store)
        project = protected.config
        around = Surroundings(
            prefix=project.project.branch_prefix,
            taken=(protected.target,),
            checked=bool(project.land.checks or machine.work.checks),
            workers=workers,
        )
    except BatonError as error:
        return Surroundings(), error.message
    return around, None
