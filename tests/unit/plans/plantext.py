"""Plan files for tests, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.plans.problem import Problem
from gitbaton.plans.validation import Surroundings, Verdict, validate_plan

HEADER = '[plan]\nname = "p"\nchecks = ["true"]\n'


def phase(id: str, *lines: str, title: str = "T") -> str:
    """Return a phase with all that it must have, and ``lines``."""
    words = "\n".join(lines)
    return f'[[phase]]\nid = "{id}"\ntitle = "{title}"\ndeliverable = "d"\n{words}\n'


def needing(id: str, *needs: str) -> str:
    """Return a phase with these needs."""
    listed = ", ".join(f'"{need}"' for need in needs)
    return phase(id, f"needs = [{listed}]")


def judge(*parts: str, around: Surroundings | None = None) -> Verdict:
    """Return the verdict on a file of ``parts``."""
    return validate_plan("".join(parts).encode(), around)


def problems(*parts: str, around: Surroundings | None = None) -> Sequence[Problem]:
    """Return what is said about a file of ``parts``; a plan comes only without errors."""
    verdict = judge(*parts, around=around)
    assert (verdict.plan is None) == bool(verdict.errors)
    return verdict.problems


def said(*parts: str, around: Surroundings | None = None) -> list[str]:
    """Return ``line level code`` of everything that is said about a file of ``parts``."""
    found = problems(*parts, around=around)
    return [f"{problem.line} {problem.level} {problem.code}" for problem in found]
