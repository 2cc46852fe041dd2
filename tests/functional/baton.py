"""Runs ``baton`` as a process of its own, and reads what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.functional.forked import can_fork, forker

COMMAND = (sys.executable, "-m", "gitbaton.cli")
SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Answer:
    """How one run ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output; a test that gets anything else fails."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error document; only ``code``, ``message`` and ``next`` are in it."""
        document = self.json
        assert set(document) == {"error"}, self
        assert set(document["error"]) == {"code", "message", "next"}, self
        error: dict[str, Any] = document["error"]
        return error


@dataclass(frozen=True)
class Baton:
    """``baton`` in one clone, with an environment of its own."""

    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The whole environment of a run."""
        return {**os.environ, "PYTHONPATH": str(SOURCE), **self.env}

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        """Run ``baton *words`` to its end."""
        env = self.environment()
        run = forker().run if can_fork(env) else _start
        done = run(words, cwd=self.directory, env=env, stdin=stdin.encode(), timeout=60)
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words: str, stdin: str = "") -> Any:
        """Run ``baton *words --json``, which must succeed, and return its document."""
        answer = self(*words, "--json", stdin=stdin)
        assert answer.status == 0, answer
        return answer.json

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``baton *words`` and return at once; its standard output is a pipe of text."""
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def acting(self, **env: str) -> Baton:
        """The same clone seen by somebody with these variables set."""
        return Baton(self.directory, {**self.env, **env})

    def git(self, *words: str) -> str:
        """Run ``git *words`` in the clone, which must succeed, and return what it printed."""
        done = subprocess.run(
            ["git", *words], cwd=self.directory, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, branch: str, path: str, text: str) -> str:
        """Commit a file on ``branch`` (made if needed) and return the commit."""
        self.git("checkout", "-q", "-B", branch)
        (self.directory / path).write_text(text)
        self.git("add", path)
        self.git("commit", "-q", "-m", f"write {path}")
        return self.git("rev-parse", "HEAD")


def _start(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=timeout,
    )


def lines(text: str) -> Iterator[Any]:
    """Yield the JSON documents of ``text``, one a line."""
    return (json.loads(line) for line in text.splitlines())
