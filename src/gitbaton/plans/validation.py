"""Everything that is wrong with a plan file, at once (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitbaton.plans.fleet import check_fleet
from gitbaton.plans.graph import Graph
from gitbaton.plans.meeting import Meetings, find_meetings
from gitbaton.plans.model import Plan
from gitbaton.plans.problem import Problem, in_order
from gitbaton.plans.reading import Reading, read_plan
from gitbaton.plans.rules import Rules
from gitbaton.tasks.text import clean_line

if TYPE_CHECKING:
    from gitbaton.plans.registry.record import WorkerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plan file does not say itself.

    ``prefix``: of the branches of tasks that name none. ``taken``: branches of the project, such
    as the target. ``checked``: whether the project has checks for every landing. ``workers``:
    those in the registry; None: nobody asked, and nothing is said about them.
    """

    prefix: str = "task/"
    taken: Sequence[str] = ()
    checked: bool = False
    workers: Mapping[str, WorkerRecord] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about a plan file, and the plan if there is no error in it."""

    plan: Plan | None
    problems: Sequence[Problem]

    @property
    def errors(self) -> Sequence[Problem]:
        """What keeps the plan from being run."""
        return [problem for problem in self.problems if problem.level == "error"]

    @property
    def warnings(self) -> Sequence[Problem]:
        """What may go wrong."""
        return [problem for problem in self.problems if problem.level == "warning"]


def validate_plan(data: bytes, surroundings: Surroundings | None = None) -> Verdict:
    """Return all mistakes in the file ``data``, and the plan if it has none. Raises nothing."""
    around = surroundings or Surroundings()
    reading = read_plan(data)
    rules = Rules(reading.entries, reading.places)
    taken = [*around.taken]
    if reading.header is not None and reading.header.target is not None:
        taken.append(reading.header.target)
    reading.problems += rules.twins()
    reading.problems += rules.unknown_needs()
    if not around.checked:
        doubtful = {p.phase for p in reading.problems if p.field == "checks"}
        reading.problems += rules.unchecked(reading.header, doubtful=doubtful)
    reading.problems += rules.branches(reading.header, prefix=around.prefix, taken=taken)
    if around.workers is not None:
        reading.problems += check_fleet(reading, around.workers)
    circles = list(rules.circles())
    reading.problems += circles
    if not circles:
        reading.problems += _meetings(reading, Graph(rules.needs()))
    return Verdict(reading.plan(), in_order(reading.problems))


def _meetings(reading: Reading, graph: Graph) -> Iterator[Problem]:
    first = {entry.phase.id: entry for entry in reversed(reading.entries)}
    paths = {id: first[id].phase.paths for id in graph.ids}
    found = find_meetings(paths, graph)
    for meeting in found.shown:
        line = reading.places.line(first[meeting.one].path("paths"))
        words = (
            f"phase {meeting.one!r} may run beside {meeting.other!r}, and both may touch "
            f"{clean_line(meeting.file)} ({meeting.glob} and {meeting.other_glob}); "
            "they will wait for each other"
        )
        yield Problem(line, "warning", "paths", words, meeting.one, "paths")
    yield from _left_out(found)


def _left_out(found: Meetings) -> Iterator[Problem]:
    more = found.count - len(found.shown)
    if more > 0:
        words = f"{more} more pairs of phases may run together and touch the same files"
        yield Problem(1, "warning", "paths", words)
    if found.unsure:
        words = (
            f"the paths are too many to compare all of them ({found.unsure} globs were not); "
            "globs that begin with a directory are compared faster"
        )
        yield Problem(1, "note", "paths", words)
