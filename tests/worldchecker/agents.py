"""The agents: each runs at most once a frame, and is never left out of two frames in a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.worldchecker.evidence import Evidence
from tests.worldchecker.finding import Finding, Promise
from tests.worldchecker.lineage import merged_deltas


def check_agents(evidence: Evidence) -> Iterator[Finding]:
    """Yield who ran twice in a frame, and whom nobody took over.

    The agents are those of ``agents.json``, an array of names. The last frame is still open, so
    nobody is missed in it.
    """
    ran: dict[int, list[str]] = defaultdict(list)
    for _, delta in merged_deltas(evidence):
        ran[delta.frame] += delta.agents
    for number, agents in sorted(ran.items()):
        for agent in sorted({agent for agent in agents if agents.count(agent) > 1}):
            yield Finding(Promise.AGENTS, f"frame {number}", f"{agent} ran twice")
    left_out: set[str] = set()
    for frame in evidence.frames[:-1]:
        idle = set(frame.document("agents.json")) - set(ran[frame.number])
        for agent in sorted(idle & left_out):
            yield Finding(Promise.AGENTS, f"frame {frame.number}", f"{agent}: nobody took over")
        left_out = idle
