"""The tables about commits from a working tree that many share (pure)."""

from __future__ import annotations

from typing import Final

from benchmarks.document import Document
from benchmarks.report.markdown import both, table

_TITLES: Final = {
    "git": "`git commit`",
    "wrapper": "lock, refuse when dirty, `git commit`",
    "library": "`baton commit`, in process",
    "command": "`baton commit`",
}


def render(document: Document) -> str:
    """Return what is known of commits; nothing where none were measured."""
    parts = (_races(document), _alone(document), _hooked(document))
    return "\n\n".join(part for part in parts if part)


def _races(document: Document) -> str:
    rows = [
        [
            str(race.processes),
            _TITLES[race.contender],
            f"{race.committed} of {race.attempts}",
            f"{100 * race.committed / race.attempts:.0f}",
            str(race.wrong),
            *(["", ""] if race.times is None else both(race.times)),
        ]
        for race in document.commit_races
    ]
    head = ["processes", "in a dirty tree, with a hook", "committed", "%", "wrong"]
    return table([*head, "p50, ms", "p99, ms"], rows)


def _alone(document: Document) -> str:
    rows = [
        [
            f"{result.files:,}",
            _TITLES[way],
            *both(times),
            f"{times.p50 / result.times['git'].p50:.1f}",
            f"{times.p50 - result.times['git'].p50:.0f}",
        ]
        for result in document.commits
        for way, times in result.times.items()
    ]
    head = ["files", "alone, no hooks", "p50, ms", "p99, ms", "times `git commit`", "ms above it"]
    return table(head, rows)


def _hooked(document: Document) -> str:
    rows = [
        [f"{result.files:,}", f"{result.first_ms:.0f}", *both(result.later)]
        for result in document.hooked_commits
    ]
    return table(["files", "first commit with a hook, ms", "later p50, ms", "p99, ms"], rows)
