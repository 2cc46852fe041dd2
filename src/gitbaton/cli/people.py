"""What only people decide: refused inside an agent's environment (I9)."""

from __future__ import annotations

from gitbaton.cli.request import Request
from gitbaton.core.errors import GateClosed

_OF_AGENTS = ("BATON_TASK", "BATON_TOKEN")


def require_person(request: Request, verb: str, task_id: str) -> None:
    """Raise GateClosed where an agent runs ``baton <verb>``, as its environment shows.

    It keeps honest agents honest; what the rest takes is in docs/explanation/guarantees.md.
    """
    for name in _OF_AGENTS:
        if request.env.get(name):
            raise GateClosed(
                f"agents cannot {verb}: {name} is set here",
                next=f"ask a human to run: baton {verb} {task_id}",
            )
