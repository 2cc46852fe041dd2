"""A fleet: one bare remote with a target branch, and clones that stand for machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.functional.baton import Baton
from tests.servers.site import BareRepository, Site

CONFIG = '[queue]\nbackoff = "1s"\nmax_attempts = 1000\n'
"""What the tests need to be quick: a task taken back is ready again after a second."""

PLAIN = 'transport = "plain"\n'
"""In the table `[store]`: everything by the commands of git."""


@dataclass(frozen=True)
class Fleet:
    """``remote`` and clones of it, each with ``baton`` ready to run."""

    root: Path
    remote: BareRepository
    clones: tuple[Baton, ...]

    def add(self, tasks: Sequence[Mapping[str, object]]) -> None:
        """Add tasks, each a JSON object, in one transaction."""
        lines = self.root / "tasks.jsonl"
        lines.write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
        self.clones[0].ok("add", "--from", str(lines))

    def tasks(self) -> dict[str, Any]:
        """Return all tasks by id, as the first clone sees them."""
        return {task["id"]: task for task in self.clones[0].ok("list")["tasks"]}

    def contains(self, branch: str, commit: str) -> bool:
        """Tell whether ``branch`` of the remote has ``commit``."""
        found = self.remote.git("branch", "--list", branch, "--contains", commit)
        return branch in found.split()


def make_fleet(
    root: Path,
    site: Site,
    *,
    clones: int,
    object_format: str = "sha1",
    config: str = CONFIG,
    env: Mapping[str, str] | None = None,
) -> Fleet:
    """Make a remote at ``site`` with one commit on ``main``, and clones of it below ``root``."""
    remote = site.fresh(object_format=object_format)
    remote.git("symbolic-ref", "HEAD", "refs/heads/main")
    made = []
    for number in range(clones):
        directory = root / f"clone{number}"
        baton = Baton(directory, {**remote.env, **(env or {})})
        if number == 0:
            _git(root, baton, "init", "-q", f"--object-format={object_format}", str(directory))
            baton.commit("main", "baton.toml", config)
            _git(directory, baton, "remote", "add", "origin", remote.url)
            _git(directory, baton, "push", "-q", "origin", "main")
        else:
            _git(root, baton, "clone", "-q", remote.url, str(directory))
        made.append(baton)
    for baton in made:
        baton.ok("init")
    return Fleet(root, remote, tuple(made))


def _git(directory: Path, baton: Baton, *words: str) -> None:
    subprocess.run(
        ["git", *words], cwd=directory, env=baton.environment(), check=True, capture_output=True
    )
