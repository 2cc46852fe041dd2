"""One thing that the doctor has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gitbaton.core.errors import BatonError


class Level(StrEnum):
    """How much it matters: nothing, good to know, weaker than it should be, does not work."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is a word for programs, ``text`` a sentence, ``next`` a command or what to do.

    ``detail``: only for those who ask for more.
    """

    level: Level
    subject: str
    text: str
    next: str | None = None
    detail: bool = False


def ok(subject: str, text: str, *, next: str | None = None, detail: bool = False) -> Finding:
    """Say that something is as it should be."""
    return Finding(Level.OK, subject, text, next, detail)


def note(subject: str, text: str, *, next: str | None = None) -> Finding:
    """Say something that is good to know."""
    return Finding(Level.NOTE, subject, text, next)


def warning(subject: str, text: str, *, next: str | None = None) -> Finding:
    """Say that something is weaker than it should be."""
    return Finding(Level.WARNING, subject, text, next)


def problem(subject: str, text: str, *, next: str | None = None) -> Finding:
    """Say that something does not work."""
    return Finding(Level.PROBLEM, subject, text, next)


def failed(subject: str, error: BatonError) -> Finding:
    """Say that something could not even be looked at."""
    return problem(subject, error.message, next=error.next)
