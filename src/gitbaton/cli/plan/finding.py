"""Finds the plan that a command is about: by its file, or by the name that it was started under."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitbaton.cli.plan.judging import read_plan_file
from gitbaton.cli.request import Request
from gitbaton.core.errors import Refused
from gitbaton.orchestration.chart import Chart, chart_of_plan, chart_of_record
from gitbaton.orchestration.proclaiming import read_plan_record
from gitbaton.plans.announcement import digest_of
from gitbaton.plans.model import Plan
from gitbaton.plans.validation import Surroundings, validate_plan
from gitbaton.tasks.view import View


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person named: a plan file, or the name of a plan that is known."""

    word: str
    plan: Plan | None = None
    digest: str | None = None

    def chart(self, view: View) -> Chart:
        """Return what is followed of it. Raises Refused (``unknown_plan``), InvalidInput."""
        if self.plan is not None:
            return chart_of_plan(self.plan)
        record = read_plan_record(view.snapshot, self.word)
        if record is None:
            raise Refused(
                f"there is no plan {self.word!r}, and no file of that name",
                code="unknown_plan",
                next="baton plan run FILE",
            )
        return chart_of_record(record, view.tasks)


def find_plan(request: Request, word: str) -> Wanted:
    """Return the plan that ``word`` means; a file goes before a name.

    Raises Refused for a file that is no plan.
    """
    file = Path(word)
    if not (request.directory / file).is_file():
        return Wanted(word)
    data = read_plan_file(request, file)
    plan = validate_plan(data, Surroundings(checked=True)).plan  # the project's rules: plan run
    if plan is None:
        raise Refused(
            f"there are errors in {word}", code="invalid_plan", next=f"baton plan validate {word}"
        )
    return Wanted(word, plan, digest_of(data))
