"""What the queue takes from configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Defaults that come from configuration. Seconds."""

    project: str  # a stable name of this repository: part of what an approval is bound to
    lease: float = 900.0
    max_attempts: int = 3
    backoff: float = 30.0  # delay after the first failed attempt; doubles, at most backoff_limit
    backoff_limit: float = 1800.0
    target: str = "main"
    branch_prefix: str = "task/"

    def back_off(self, attempts: int) -> float:
        """Return how long a task waits after its ``attempts``-th failed attempt."""
        doublings = min(max(attempts - 1, 0), 64)
        return min(self.backoff * 2.0**doublings, self.backoff_limit)
