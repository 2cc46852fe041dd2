"""Effective parallelism: how much more many agents finish than one."""

from __future__ import annotations

from benchmarks.lab.links import LOCAL
from benchmarks.parts.fleet import work
from benchmarks.parts.session import Session


def run(session: Session) -> None:
    """Let one agent work, then many, each with as many tasks to do."""
    scale = session.scale
    for agents in (1, scale.agents):
        with session.attempt(f"parallel: {agents} agents, {scale.pause} s a task"):
            result = work(
                session.lab.workplace,
                session.lab.open(LOCAL),
                f"parallel-{agents}",
                slots=agents,
                tasks=agents * scale.agent_tasks,
                thinking=(scale.pause, scale.pause),
            )
            session.document.parallel.append(result)
            session.say(f"  {result.per_minute} tasks a minute, {result.cpu_per_task} CPU s each")
