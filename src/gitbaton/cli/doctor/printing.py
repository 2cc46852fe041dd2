"""How findings are shown: to people in 80 columns, to programs as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from gitbaton.cli.doctor.finding import Finding, Level
from gitbaton.cli.output import PLAIN_WIDTH, Output, one_line

_MARKS = {Level.OK: "ok", Level.NOTE: "note", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}
_INDENT = 9  # columns


def finding_document(finding: Finding) -> dict[str, str | None]:
    """Return ``finding`` as it is printed under ``--json``."""
    return {
        "level": finding.level.value,
        "subject": finding.subject,
        "text": finding.text,
        "next": finding.next,
    }


def print_findings(out: Output, findings: Sequence[Finding]) -> None:
    """Print ``findings`` in their order, and count what is wrong."""
    for finding in findings:
        fine = finding.level in (Level.OK, Level.NOTE)
        if (finding.detail and not out.verbose) or (fine and out.quiet):
            continue
        _say(out, _MARKS[finding.level], f"{finding.subject}: {finding.text}")
        if finding.next:
            _say(out, "", f"next: {finding.next}")
    levels = [finding.level for finding in findings]
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
