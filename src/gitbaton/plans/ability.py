"""The words that a worker has: its capabilities, and what comes of its name and tools (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.toolchain.requirements import unmet
from gitbaton.plans.words import is_kept, pin_word, toolchain_word


def words_of(worker: WorkerRecord, plans: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Return all words that ``worker`` has. ``plans``: the toolchain of each plan that is known.

    Kept words that it claims by itself count for nothing. Raises InvalidInput when a toolchain
    is none.
    """
    own = {word for word in worker.capabilities if not is_kept(word)}
    able = {toolchain_word(p) for p, tools in plans.items() if not unmet(tools, worker.toolchain)}
    return frozenset(own | able | {pin_word(worker.name)})
