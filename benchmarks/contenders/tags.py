"""One annotated tag a claim: look which are there, make one with a nonce, push it.

The server takes only the first tag of a name. The nonce makes every tag object different: two
equal ones would both be told "ok".
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contenders.contender import Claim, Git

FILE = "tasks.txt"
PREFIX = "refs/tags/claim/"


class Tags:
    """Claims by creating the tag ``claim/<task>``."""

    def __init__(self, clone: Path, env: Mapping[str, str], agent: str) -> None:
        self._tasks = (clone / FILE).read_text().split()
        self._git = Git(clone, env)
        self._agent = agent

    def claim(self) -> list[Claim]:
        while True:
            listed = self._git("ls-remote", "--refs", "origin", f"{PREFIX}*").splitlines()
            taken = {line.partition(PREFIX)[2] for line in listed}
            free = [task for task in self._tasks if task not in taken]
            if not free:
                return []
            task = random.choice(free)  # the first one would be everybody's
            proof = f"{self._agent} {secrets.token_hex(8)}"
            self._git("tag", "--force", "--annotate", "-m", proof, f"claim/{task}")
            if self._git.succeeds("push", "-q", "origin", f"{PREFIX}{task}"):
                return [Claim(task, proof)]

    def close(self) -> None:
        """There is nothing to hang up."""
