"""Repositories to measure with: bare ones that the servers serve, and clones of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hermetic import hermetic_environment

Tasks = Iterable[Mapping[str, object]]

_PATIENCE = 900.0


def baton_command() -> list[str]:
    """Return the words that run the installed ``baton`` of this interpreter."""
    installed = Path(sys.executable).with_name("baton")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "gitbaton.cli"]


@dataclass(frozen=True)
class Workplace:
    """A scratch directory with a home of its own: nothing of this machine's user is seen."""

    root: Path
    env: Mapping[str, str]

    @staticmethod
    def make(root: Path) -> Workplace:
        """Set the directory up."""
        (root / "repositories").mkdir(parents=True)
        return Workplace(root, hermetic_environment(os.environ, root / "home"))

    @property
    def repositories(self) -> Path:
        """What servers serve."""
        return self.root / "repositories"

    def remote(self, name: str) -> Path:
        """Make a bare repository with one commit on ``main`` and return its path."""
        path = self.repositories / f"{name}.git"
        self.git(self.root, "init", "-q", "--bare", str(path))
        for key, value in (("http.receivepack", "true"), ("receive.autogc", "false")):
            self.git(path, "config", key, value)
        first = self.clone(path, f"{name}-first")
        (first / "README.md").write_text("# A project\n")
        self.commit(first, "the beginning")
        return path

    def clone(self, remote: Path, name: str, *, url: str | None = None) -> Path:
        """Clone by path, without a network, and let ``origin`` be at ``url`` then."""
        directory = self.root / name
        self.git(self.root, "clone", "-q", str(remote), str(directory))
        if url is not None:
            self.git(directory, "remote", "set-url", "origin", url)
        return directory

    def commit(self, clone: Path, message: str) -> None:
        """Commit everything on ``main`` and push it."""
        self.git(clone, "checkout", "-q", "-B", "main")
        self.git(clone, "add", "--all")
        self.git(clone, "commit", "-q", "-m", message)
        self.git(clone, "push", "-q", "-u", "origin", "main")

    def git(self, directory: Path, *words: str, stdin: str | None = None) -> str:
        """Run git and return what it prints. Raises CalledProcessError."""
        done = subprocess.run(
            ["git", *words],
            cwd=directory,
            env=dict(self.env),
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def baton(self, clone: Path, *words: str) -> str:
        """Run ``baton`` in a clone, return what it prints. Raises BatonFailed, TimeoutExpired."""
        done = subprocess.run(
            [*baton_command(), *words],
            cwd=clone,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        if done.returncode != 0:
            raise BatonFailed(f"baton {words[0]}: {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def write_tasks(self, tasks: Tasks) -> Path:
        """Write a file for ``baton add --from``."""
        path = self.root / "tasks.jsonl"
        path.write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
        return path


class BatonFailed(Exception):
    """``baton`` ended with another status than 0."""


def numbered(count: int) -> Iterator[dict[str, object]]:
    """Yield plain tasks that differ in nothing but their number."""
    for number in range(count):
        yield {"id": f"t{number:06}", "title": f"Task number {number}"}
