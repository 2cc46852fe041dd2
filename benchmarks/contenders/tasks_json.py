"""A list of tasks in a file on a branch: pull, edit, commit, push, and again when refused.

What most people write first, and what many agent frameworks ship.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.contenders.contender import Claim, Git

FILE = "tasks.json"
_PAUSE = 0.1  # seconds, at most, after a refused push: all at once would only meet again


class TasksJson:
    """Claims by pushing a commit to the branch that is checked out."""

    def __init__(self, clone: Path, env: Mapping[str, str], agent: str) -> None:
        self._file = clone / FILE
        self._git = Git(clone, env)
        self._agent = agent

    def claim(self) -> list[Claim]:
        while True:
            self._git("pull", "-q", "--rebase")
            tasks: list[dict[str, Any]] = json.loads(self._file.read_text())["tasks"]
            free = next((task for task in tasks if task["claimedBy"] is None), None)
            if free is None:
                return []
            free["claimedBy"] = self._agent
            self._file.write_text(render(tasks))
            self._git("commit", "-q", "-a", "-m", f"claim: {free['id']} by {self._agent}")
            if self._git.succeeds("push", "-q"):
                return [Claim(free["id"], self._agent)]
            self._git("reset", "-q", "--hard", "HEAD~1")
            time.sleep(random.uniform(0, _PAUSE))

    def close(self) -> None:
        """There is nothing to hang up."""


def render(tasks: list[dict[str, Any]]) -> str:
    """Return the file's text."""
    return json.dumps({"tasks": tasks}, indent=2) + "\n"


def keep_ssh_open(env: Mapping[str, str], clone: Path) -> dict[str, str]:
    """Return ``env`` with what a careful user has in ``~/.ssh/config``: one connection for all."""
    options = f"-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={clone / '.git' / 'ssh'}"
    return {**env, "GIT_SSH_COMMAND": f"{env['GIT_SSH_COMMAND']} {options}"}
