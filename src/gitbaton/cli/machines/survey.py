"""What a machine says of itself: ``baton worker doctor --json`` there, read here as data (I8)."""

from __future__ import annotations

import msgspec

from gitbaton.app import App
from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name
from gitbaton.fleet import Fleet
from gitbaton.plans.toolchain.requirements import Verdict, shortcomings
from gitbaton.plans.toolchain.tools import tool_name
from gitbaton.tasks.text import is_line
from gitbaton.tasks.validation import capability


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """One machine, as seen from its clone. ``now``: its wall clock, for information only."""

    machine: str
    baton: str
    git: str | None
    clone: str
    engine: str
    remote: str | None
    capabilities: tuple[str, ...]
    toolchain: dict[str, str]
    unmet: tuple[str, ...]
    now: str


def survey_here(app: App, fleet: Fleet) -> tuple[Survey, list[Verdict]]:
    """Return what this machine is, and whether its tools will do. Raises InvalidInput."""
    verdicts = fleet.tools.check(fleet.required)
    versions = fleet.versions()
    return (
        Survey(
            machine=app.identity.machine,
            baton=versions["baton"],
            git=versions.get("git"),
            clone=str(app.clone.top),
            engine=app.settings.engine,
            remote=app.remote.url if app.remote is not None else None,
            capabilities=tuple(sorted(app.identity.claimant().capabilities)),
            toolchain=fleet.measure(),
            unmet=shortcomings(verdicts),
            now=app.clock.now().isoformat(),
        ),
        verdicts,
    )


def read_survey(document: object) -> Survey:
    """Return the survey that another machine sent. Raises InvalidInput for anything else."""
    try:
        survey = msgspec.convert(document, Survey)
        parse_rfc3339(survey.now)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidInput("survey", f"what it said of itself cannot be read: {error}") from error
    agent_name(survey.machine, field="machine")
    for word in survey.capabilities:
        capability(word)
    for tool in survey.toolchain:
        tool_name(tool)
    texts = [survey.baton, survey.git or "", survey.clone, survey.remote or ""]
    for text in (*texts, *survey.toolchain.values(), *survey.unmet):
        if not is_line(text) or len(text) > 1000:
            raise InvalidInput("survey", "what it said of itself is not plain text")
    return survey
