"""``baton doctor``: says what works here, what does not, and what to do."""

from __future__ import annotations

import textwrap

import click

from gitbaton.cli.doctor.examination import Examination
from gitbaton.cli.doctor.finding import Finding, Level
from gitbaton.cli.errors import DONE, FORBIDDEN, REFUSED
from gitbaton.cli.output import PLAIN_WIDTH, Output, one_line
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb

_MARKS = {Level.OK: "ok", Level.NOTE: "note", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}
_INDENT = 9  # columns


@verb("doctor")
@click.option("--agent", metavar="P", help="Also check this agent: a profile, or a command.")
@click.option("--no-probe", is_flag=True, help="Write nothing to the remote, not even to try.")
def command(request: Request, agent: str | None, no_probe: bool) -> int:
    """Say what works here, what does not, and what to do about it.

    Looks at this machine, the clone, the records, the configuration and what waits. What the git
    host allows is found out by trying, on refs that nobody uses and that are removed again.
    Exit status: 0 without a problem, 1 with one, 77 where the host refuses everything.
    """
    examination = Examination(
        request.env,
        lambda: request.app,
        agent=agent,
        probing=not no_probe,
        told=request.output.detail,
    )
    examination.run()
    document = {
        "findings": [_document(finding) for finding in examination.findings],
        "host": examination.host,
    }
    request.output.answer(document, lambda out: _print(out, examination))
    if examination.refused:
        return FORBIDDEN
    return DONE if examination.sound else REFUSED


def _document(finding: Finding) -> dict[str, str | None]:
    return {
        "level": finding.level.value,
        "subject": finding.subject,
        "text": finding.text,
        "next": finding.next,
    }


def _print(out: Output, examination: Examination) -> None:
    for finding in examination.findings:
        fine = finding.level in (Level.OK, Level.NOTE)
        if (finding.detail and not out.verbose) or (fine and out.quiet):
            continue
        _say(out, _MARKS[finding.level], f"{finding.subject}: {finding.text}")
        if finding.next:
            _say(out, "", f"next: {finding.next}")
    levels = [finding.level for finding in examination.findings]
    problems, warnings = levels.count(Level.PROBLEM), levels.count(Level.WARNING)
    if out.quiet and not problems and not warnings:
        return
    out.say()
    out.say(f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}")


def _say(out: Output, mark: str, text: str) -> None:
    """Print ``text`` in 80 columns; words, such as commands to copy, are never broken."""
    out.say(
        textwrap.fill(
            one_line(text),
            PLAIN_WIDTH,
            initial_indent=mark.ljust(_INDENT),
            subsequent_indent=" " * _INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
