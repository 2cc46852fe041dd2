"""What there is to say about a machine that is to work: this one, or one behind ssh."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gitbaton import __version__
from gitbaton.cli.doctor.finding import Finding, Level, note, ok, problem, warning
from gitbaton.cli.machines.reach import Machine, Said
from gitbaton.cli.machines.survey import Survey, read_survey
from gitbaton.core.clock import Clock, parse_rfc3339
from gitbaton.core.errors import InvalidInput
from gitbaton.git.repository import MINIMUM_GIT
from gitbaton.plans.toolchain.requirements import Verdict
from gitbaton.plans.toolchain.versions import read_version

_HERE: Final = "baton-was-here"
_NO_COMMAND: Final = (126, 127)  # sh(1): cannot be run, cannot be found


@dataclass(slots=True)
class Visit:
    """What was found on a machine; ``survey`` None: it could not say what it is."""

    findings: list[Finding] = field(default_factory=list)
    survey: Survey | None = None

    @property
    def problems(self) -> list[Finding]:
        """What has to be mended first."""
        return [finding for finding in self.findings if finding.level is Level.PROBLEM]


def visit_here(survey: Survey, verdicts: Sequence[Verdict]) -> Visit:
    """Return what there is to say about this machine."""
    return Visit([*_programs(survey), _place(survey), *_tools(survey, verdicts)], survey)


def visit_there(machine: Machine, *, remote: str | None, clock: Clock) -> Visit:
    """Go to ``machine`` and look. ``remote``: the address of the git remote used here."""
    visit = Visit()
    visit.findings += _arrive(machine)
    if visit.problems:
        return visit
    before = clock.now()
    said = machine.baton("worker", "doctor", "--json")
    after = clock.now()
    document = _document(said)
    if document is None:
        visit.findings.append(_silent(machine, said))
        return visit
    if "error" in document:
        visit.findings.append(_refused(machine, document["error"]))
        return visit
    try:
        visit.survey = survey = read_survey(document.get("survey"))
    except InvalidInput as error:
        visit.findings.append(problem("baton", error.message, next=_same_version()))
        return visit
    visit.findings += [*_programs(survey), _place(survey), *_remote(survey, remote)]
    visit.findings += _tools(survey, ())
    visit.findings.append(_clocks(parse_rfc3339(survey.now), before, after))
    return visit


def _arrive(machine: Machine) -> Iterator[Finding]:
    """See whether ssh gets there without asking anything, and whether there is a git."""
    said = machine.run("echo", _HERE)
    host = machine.address.host
    if said.status is None:
        yield problem("ssh", f"{host} cannot be reached: {said.err}", next=f"ssh {host} true")
        return
    if _HERE not in said.out.split():
        words = f"{host} lets us in but runs no commands: {said.err or said.out[:200]}"
        yield problem("ssh", words, next=f"ssh {host} true")
        return
    yield ok("ssh", f"{host} lets us in without asking")
    said = machine.run("git", "--version")
    version = read_version(said.out) if said.status == 0 else None
    if version is None:
        yield problem("git", f"there is no git on {host}, where ssh looks for it")
    elif version.release[:2] < MINIMUM_GIT:
        needed = ".".join(map(str, MINIMUM_GIT))
        yield problem("git", f"git {version} on {host} is too old; {needed} is needed")
    else:
        yield ok("git", f"git {version}")


def _document(said: Said) -> dict[str, Any] | None:
    for line in reversed(said.out.splitlines()):  # a shell there may print words of its own first
        if line.startswith("{"):
            try:
                document = json.loads(line)
            except ValueError:
                return None
            return document if isinstance(document, dict) else None
    return None


def _silent(machine: Machine, said: Said) -> Finding:
    host, program = machine.address.host, machine.address.program
    if said.status is None:
        return problem("ssh", f"{host}: {said.err}")
    if said.status in _NO_COMMAND:
        return problem(
            "baton",
            f"there is no {program} on {host}, where ssh looks for it: {said.err}",
            next="install gitbaton there, or say where it is with --program PATH",
        )
    words = said.err or said.out[:200] or f"exit status {said.status}"
    return problem("baton", f"{program} on {host}: {words}", next=_same_version())


def _refused(machine: Machine, error: Any) -> Finding:
    given = error if isinstance(error, dict) else {}
    message = " ".join(str(given.get("message", "it said not why")).split())[:500]
    old = given.get("code") == "usage"
    subject = "baton" if old else "clone"
    next = _same_version() if old else f"make a clone at {machine.address.path} there, or --path"
    return problem(subject, f"{machine.address.host}: {message}", next=next)


def _programs(survey: Survey) -> Iterator[Finding]:
    if survey.baton == __version__:
        yield ok("baton", f"baton {survey.baton}")
    else:
        yield warning(
            "baton",
            f"baton {survey.baton} there, {__version__} here",
            next=_same_version(),
        )
    if survey.git is None:
        yield problem("git", "git cannot be run in the clone")


def _place(survey: Survey) -> Finding:
    if survey.engine != "git":
        return problem(
            "clone",
            f"{survey.clone} uses the {survey.engine} engine: it shares no tasks with others",
            next="baton init --remote NAME",
        )
    return ok("clone", f"{survey.clone}, remote {survey.remote}")


def _remote(survey: Survey, remote: str | None) -> Iterator[Finding]:
    if survey.engine == "git" and survey.remote != remote:
        yield note(
            "remote", f"it uses {survey.remote}, we use {remote}: both must be the same repository"
        )


def _tools(survey: Survey, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    yield ok("capabilities", ", ".join(survey.capabilities) or "none")
    for verdict in verdicts:
        if verdict.met:
            yield ok("toolchain", verdict.text)
    for text in survey.unmet:
        yield problem("toolchain", text)
    tools = ", ".join(f"{tool} {version}" for tool, version in survey.toolchain.items())
    yield ok("tools", tools or "none that baton knows", detail=True)


def _clocks(theirs: datetime, before: datetime, after: datetime) -> Finding:
    """Say how far apart the clocks are. Nothing is decided by it (I5)."""
    apart = max((theirs - after).total_seconds(), (before - theirs).total_seconds(), 0.0)
    if apart < 1.0:
        return ok("clock", "the same time there as here", detail=True)
    return note(
        "clock",
        f"its clock is {apart:.0f} s {'ahead' if theirs > after else 'behind'}: times that people "
        "read will differ, and no decision depends on it",
    )


def _same_version() -> str:
    return "install the same version of gitbaton on both machines"
