"""How heavy each phase is on the critical path (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.plans.model import Plan


def weigh(plan: Plan) -> Mapping[str, float]:
    """Return the weight of each phase: its estimate, else its timeout, in seconds.

    Those that have neither count as the mean of the others; 1 each when none has.
    """
    known = {
        phase.id: float(given)
        for phase in plan.phases
        if (given := _first(phase.estimate, phase.timeout, plan.plan.timeout)) is not None
    }
    usual = sum(known.values()) / len(known) if known else 1.0
    return {phase.id: known.get(phase.id, usual) for phase in plan.phases}


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def is_weighed(plan: Plan) -> bool:
    """Tell whether any phase says how long it takes: else weights count phases."""
    return any(
        _first(phase.estimate, phase.timeout, plan.plan.timeout) is not None
        for phase in plan.phases
    )
