"""What is asked of a worker, by the command line and then by the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitbaton.app import App
from gitbaton.core.errors import InvalidInput
from gitbaton.work.crew import Orders
from gitbaton.work.job import Way
from gitbaton.work.profiles import Profile, custom_profile, find_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks of a worker; None: as configured."""

    agent: str | None = None
    jobs: int | None = None
    land: Way | None = None
    review: bool = False
    checks: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    timeout: float | None = None
    lease: float | None = None
    name: str | None = None
    capabilities: tuple[str, ...] = ()
    once: bool = False
    drain: bool = False
    echo: bool = False


def profiles_of(app: App) -> Mapping[str, Profile]:
    """Return the configured agent profiles. Raises InvalidInput."""
    return {
        name: custom_profile(
            name, command=section.command, env=section.env, check=section.check or ()
        )
        for name, section in app.config.agents.items()
    }


def orders_of(app: App, wishes: Wishes) -> Orders:
    """Return how tasks are worked on: ``wishes``, then the configuration.

    Raises InvalidInput for what the project does not allow, and without an agent.
    """
    config = app.config.work
    protection = app.protection()
    agent = wishes.agent or config.agent
    if agent is None:
        raise InvalidInput(
            "agent", "say which agent works", next="baton work --agent claude (or any command)"
        )
    way = wishes.land or config.land
    if way not in protection.config.land.allowed:
        allowed = ", ".join(protection.config.land.allowed) or "none"
        raise InvalidInput("land", f"{way!r} is not allowed in this project (allowed: {allowed})")
    return Orders(
        profile=find_profile(agent, profiles_of(app)),
        target=protection.target,
        branch_prefix=protection.config.project.branch_prefix,
        way=way,
        review=wishes.review or config.review,
        setup=wishes.setup or config.setup,
        checks=(*protection.config.land.checks, *(wishes.checks or config.checks)),
        timeout=wishes.timeout or (float(limit) if (limit := app.config.queue.timeout) else None),
        output_cap=config.output_cap,
        throw_away=config.throw_away,
        port_base=config.port_base,
        echo=wishes.echo,
    )
