"""The branches of sessions, and what else leads to the commits on them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.ids import Oid
from gitbaton.git.runner import Git
from gitbaton.git.worktrees import Worktrees


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of the clone whose git directory is ``common``. ``git`` runs there."""

    common: Path
    git: Git
    worktrees: Worktrees

    def tip(self, branch: str) -> Oid | None:
        """Return the commit that ``branch`` is at, None where there is no such branch."""
        shown = self.git.run(
            "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False
        )
        return Oid(shown.text) if shown.status == 0 else None

    def lost(self, tips: Sequence[Oid], *branches: str) -> list[Oid]:
        """Return those of ``tips`` that no ref but these ``branches`` leads to."""
        if not tips:
            return []
        listed = self.git.run("rev-list", *dict.fromkeys(tips), "--not", *_other_refs(*branches))
        lost = set(listed.text.split("\n"))
        return [tip for tip in dict.fromkeys(tips) if tip in lost]

    def count_lost(self, tips: Sequence[Oid], *branches: str) -> int:
        """Return how many commits would go with ``tips`` and ``branches``."""
        refs = _other_refs(*branches)
        return int(self.git.run("rev-list", "--count", *tips, "--not", *refs).text)

    def drop(self, branch: str, tip: Oid) -> None:
        """Delete ``branch`` if it is at ``tip`` and no working tree stands on it."""
        if branch in self._stood_on():
            return  # without it that working tree would have no commit
        self.git.run("update-ref", "-d", f"refs/heads/{branch}", tip, check=False)

    def _stood_on(self) -> set[str]:
        """Return the branches that a working tree of the clone stands on, the main one's too."""
        found = self.worktrees.checked_out()
        with contextlib.suppress(OSError):
            head = os.fsdecode((self.common / "HEAD").read_bytes()).strip()
            found.add(head.removeprefix("ref: refs/heads/"))
        return found


def _other_refs(*branches: str) -> list[str]:
    # Without the first word the worktree's own HEAD would vouch for what it alone leads to.
    return ["--single-worktree", *(f"--exclude=refs/heads/{name}" for name in branches), "--all"]
