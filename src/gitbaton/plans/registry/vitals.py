"""What a worker tells with each beat (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gitbaton.plans.registry.record import REASON_LIMIT, State, WorkerRecord
from gitbaton.tasks.text import clean_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What a worker tells with each beat. ``reason``: why it takes nothing; None: it does.

    ````.
    """

    busy: Sequence[str] = ()
    load: float | None = None
    draining: bool = False
    reason: str | None = None
    capabilities: Sequence[str] | None = None
    toolchain: Mapping[str, str] | None = None

    @property
    def state(self) -> State:
        """The state that these amount to."""
        if self.draining:
            return State.DRAINING
        return State.REFUSING if self.reason else State.SERVING

    def applied(self, worker: WorkerRecord) -> WorkerRecord:
        """Return the record of ``worker`` with these in it."""
        words, tools = self.capabilities, self.toolchain
        return replace(
            worker,
            state=self.state,
            reason=clean_line(self.reason, REASON_LIMIT) if self.reason else None,
            busy=tuple(self.busy),
            load=self.load,
            capabilities=worker.capabilities if words is None else tuple(sorted(words)),
            toolchain=worker.toolchain if tools is None else dict(tools),
        )
