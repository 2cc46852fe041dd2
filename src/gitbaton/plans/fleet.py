"""What a plan asks of its workers, held against the workers that are known (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gitbaton.plans.model import Phase
from gitbaton.plans.problem import Code, Problem
from gitbaton.plans.reading import Entry, Reading

if TYPE_CHECKING:  # the versions of tools take long to import, and most plans name none
    from gitbaton.plans.registry.record import WorkerRecord


def check_fleet(reading: Reading, workers: Mapping[str, WorkerRecord]) -> Iterator[Problem]:
    """Yield the phases that no known worker could do, and say what is missing.

    Who is busy, lost or draining now counts: it may come back. Yields one note instead when no
    worker is known.
    """
    if workers:
        yield from _Fleet(reading, workers).problems()
        return
    asked = any(entry.phase.requires or entry.phase.worker for entry in reading.entries)
    if asked or reading.toolchain:
        words = "no worker is registered yet: capabilities, pins and tools are not checked"
        yield Problem(1, "note", "no-worker", words)


class _Fleet:
    def __init__(self, reading: Reading, workers: Mapping[str, WorkerRecord]) -> None:
        self._reading = reading
        self._workers = workers
        self._gaps = {name: _tool_gaps(reading.toolchain, w) for name, w in workers.items()}
        self._fit = [worker for name, worker in workers.items() if not self._gaps[name]]

    def problems(self) -> Iterator[Problem]:
        if not self._fit:
            yield self._no_tools()
        for entry in self._reading.entries:
            if entry.phase.worker is not None:
                yield from self._pinned(entry, entry.phase.worker)
            else:
                yield from self._free(entry, entry.phase)

    def _no_tools(self) -> Problem:
        gaps = [f"{name}: {'; '.join(self._gaps[name])}" for name in sorted(self._gaps)]
        more = f" | and {len(gaps) - 3} more" if len(gaps) > 3 else ""
        words = f"no registered worker meets [toolchain]: {' | '.join(gaps[:3])}{more}"
        line = self._reading.places.line(("toolchain",))
        return Problem(line, "error", "toolchain", words, None, "toolchain")

    def _pinned(self, entry: Entry, pin: str) -> Iterator[Problem]:
        worker = self._workers.get(pin)
        if worker is None:
            known = ", ".join(sorted(self._workers)[:10])
            words = f"worker {pin!r} is not registered; known: {known}"
            yield self._error(entry, "unknown-worker", "worker", words)
            return
        for word in entry.phase.requires:
            if word not in worker.capabilities:
                words = f"it is pinned to {pin!r}, which does not have {word!r}"
                yield self._error(entry, "pin", "worker", words)
        if self._gaps[pin] and self._fit:
            words = f"it is pinned to {pin!r}, where {'; '.join(self._gaps[pin])}"
            yield self._error(entry, "pin", "worker", words)

    def _free(self, entry: Entry, phase: Phase) -> Iterator[Problem]:
        absent = False
        for number, word in enumerate(phase.requires):
            if not any(word in worker.capabilities for worker in self._workers.values()):
                absent = True
                words = f"no registered worker has {word!r}"
                yield self._error(entry, "no-capability", "requires", words, number)
        able = any(set(phase.requires) <= set(worker.capabilities) for worker in self._fit)
        if self._fit and not absent and not able:
            tools = " with the tools of [toolchain]" if self._reading.toolchain else ""
            words = f"no one registered worker{tools} has all of: {', '.join(phase.requires)}"
            yield self._error(entry, "no-capability", "requires", words)

    def _error(self, entry: Entry, code: Code, field: str, words: str, *rest: int) -> Problem:
        line = self._reading.places.line(entry.path(field, *rest))
        id = entry.phase.id
        return Problem(line, "error", code, f"phase {id!r}: {words}", id, field)


def _tool_gaps(toolchain: Mapping[str, str], worker: WorkerRecord) -> tuple[str, ...]:
    if not toolchain:
        return ()
    from gitbaton.plans.toolchain.requirements import unmet

    return tuple(unmet(toolchain, worker.toolchain))
