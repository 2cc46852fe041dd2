"""Where a world and its deltas stand among the refs of a remote (pure)."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import NamedTuple

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name, branch_name
from gitbaton.store.gitengine.layout import escape, unescape

WORLD = "world"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,11}")


class Pair(NamedTuple):
    """What names a delta: its frame, and the worker that it comes from."""

    frame: int
    worker: str


@dataclass(frozen=True, slots=True)
class FrameRefs:
    """The ref names of one world. ``namespace`` ends in a slash; ``branch`` is a branch name.

    Raises InvalidInput for a branch name that git would not take.
    """

    namespace: str = "refs/baton/"
    branch: str = WORLD

    def __post_init__(self) -> None:
        branch_name(self.branch, field="world")

    @property
    def world(self) -> str:
        """The branch that the world lives on."""
        return f"refs/heads/{self.branch}"

    @property
    def root(self) -> str:
        """What all other refs of the world begin with. The store keeps it free of records.

        Worlds of other names stand apart: a delta that one sets aside may be another's.
        """
        apart = "" if self.branch == WORLD else f"of-{escape(self.branch)}/"
        return f"{self.namespace}frames/{apart}"

    @property
    def lease(self) -> str:
        """The ref of the primary's lease."""
        return f"{self.root}primary"

    def delta(self, pair: Pair) -> str:
        """Return the ref of a delta."""
        return f"{self.root}{pair.frame}/{escape(pair.worker)}"

    def presence(self, worker: str) -> str:
        """Return the ref by which ``worker`` shows that it is alive."""
        return f"{self.root}live/{escape(worker)}"

    def command(self, verb: str) -> str:
        """Return the command ``baton frame VERB`` for this world, to be copied."""
        apart = "" if self.branch == WORLD else f" --world {shlex.quote(self.branch)}"
        return f"baton frame {verb}{apart}"

    def parse_delta(self, ref: str) -> Pair | None:
        """Return the pair whose delta ``ref`` is, None if it is none."""
        number, worker = self._parts(ref)
        # One ref for one pair: no leading zero, none of the other digits that Unicode has.
        if worker is None or not _NUMBER.fullmatch(number):
            return None
        return Pair(int(number), worker)

    def parse_presence(self, ref: str) -> str | None:
        """Return the worker whose presence ``ref`` is, None if it is none."""
        word, worker = self._parts(ref)
        return worker if word == "live" else None

    def _parts(self, ref: str) -> tuple[str, str | None]:
        """Return what stands before the worker, and the worker; None for what is no name (I8)."""
        if not ref.startswith(self.root):
            return "", None
        first, _, rest = ref[len(self.root) :].partition("/")
        try:
            worker = agent_name(unescape(rest) or "")
        except InvalidInput:
            return first, None
        return first, worker if escape(worker) == rest else None
