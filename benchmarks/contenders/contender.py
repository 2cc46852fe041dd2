"""The one thing that every contender can do."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that its claimant believes to hold, and what it would prove it by."""

    task: str
    proof: str


class Contender(Protocol):
    """One claimant. It looks, decides and takes; others may do so at the same moment."""

    def claim(self) -> list[Claim]:
        """Claim the next free task (or tasks); nothing: none is left."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True)
class Git:
    """The git command in one clone."""

    directory: Path
    env: Mapping[str, str]

    def __call__(self, *words: str) -> str:
        """Run it and return what it prints. Raises CalledProcessError."""
        return self._run(*words, check=True).stdout

    def succeeds(self, *words: str) -> bool:
        """Run it and tell whether it says that all is well."""
        return self._run(*words, check=False).returncode == 0

    def _run(self, *words: str, check: bool) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words],
            cwd=self.directory,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
        )
