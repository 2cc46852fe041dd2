"""Places where `baton work` is tested: clones of a real bare remote, and workers as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitbaton.core.clock import SystemClock
from tests.functional.baton import COMMAND, Baton
from tests.servers.site import BareRepository

ROGUE = str(Path(__file__).with_name("agents") / "rogue.sh")
GATED = str(Path(__file__).with_name("agents") / "gated.sh")
SETTINGS = '[queue]\nbackoff = "0.1s"\nlease = "60s"\n[work]\nlanding_window = "0.2s"\n'
PATIENCE = 90.0  # seconds; only a hanging test needs them all

Event = dict[str, Any]


def wait_until(condition: Callable[[], object], what: str = "it") -> None:
    """Poll until ``condition`` holds; fail when that takes too long.

    Looking takes at most a third of the time: what is waited for needs the processors too.
    """
    clock = SystemClock()
    began = clock.elapsed()
    looked = began
    while not condition():
        now = clock.elapsed()
        assert now < began + PATIENCE, f"{what} did not come true in time"
        clock.sleep(min(max(0.03, 2 * (now - looked)), 1.0))
        looked = clock.elapsed()


@dataclass
class Worker:
    """A running `baton work --json`, and the events that it told so far."""

    process: subprocess.Popen[str]
    errors: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def kinds(self, task: str) -> list[str]:
        """What was told of ``task``, without the steps between."""
        told = [e["event"] for e in self.events if e.get("task") == task]
        return [kind for kind in told if kind not in ("working", "output")]

    def of(self, kind: str, task: str | None = None) -> list[Event]:
        """The events of one kind, about one task."""
        return [e for e in self.events if e.get("event") == kind and task in (None, e.get("task"))]

    def until(self, kind: str, task: str | None = None) -> Event:
        """Wait for an event and return it."""
        wait_until(lambda: self.of(kind, task) or not self._reader.is_alive(), f"{kind} {task}")
        found = self.of(kind, task)
        assert found, (kind, task, self.events, self.errors.read_text())
        return found[0]

    def signal(self, number: int) -> None:
        """Send a signal to the worker, and to nothing that it started."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its end and return its exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert "Traceback" not in self.errors.read_text(), self.errors.read_text()
        return status


@dataclass
class Place:
    """A bare remote, clones of it below ``area``, and the gate at which agents wait."""

    area: Path
    remote: BareRepository

    @property
    def gate(self) -> Path:
        """Where gated agents say that they are there, and are let go."""
        path = self.area / "gate"
        path.mkdir(exist_ok=True)
        return path

    def clone(self, name: str) -> Baton:
        """Make a clone; the first one gives the remote its branch ``main``."""
        directory = self.area / name
        subprocess.run(["git", "clone", "-q", self.remote.url, str(directory)], check=True)
        clone = Baton(directory, {"GATE": str(self.gate)})
        if "refs/heads/main" not in self.remote.refs():
            (directory / ".gitignore").write_text(".env\n")
            clone.git("add", ".gitignore")
            clone.commit("main", "readme", "hello\n")
            clone.git("push", "-q", "origin", "main")
            self.remote.git("symbolic-ref", "HEAD", "refs/heads/main")
            clone.git("remote", "set-head", "origin", "main")
        configure(clone)
        return clone

    def arrived(self, task: str, epoch: int = 1) -> None:
        """Wait until the gated agent of this attempt has written its work."""
        wait_until((self.gate / f"{task}.{epoch}.up").exists, f"{task} at the gate")

    def let_go(self, task: str, epoch: int = 1) -> None:
        """Let the gated agent of this attempt end."""
        (self.gate / f"{task}.{epoch}.go").touch()

    def branch(self, name: str) -> str | None:
        """The tip of a branch on the remote."""
        return self.remote.refs().get(f"refs/heads/{name}")

    def files(self, commit: str) -> set[str]:
        """The files of a commit on the remote."""
        return set(self.remote.git("ls-tree", "-r", "--name-only", commit).split("\n"))

    def show(self, commit: str, path: str) -> str:
        """The content of a file in a commit on the remote."""
        return self.remote.git("show", f"{commit}:{path}")

    def rescues(self, task: str, epoch: int | None = None) -> list[str]:
        """The rescued commits of a task on the remote."""
        start = f"refs/baton/rescue/{task}/{epoch or ''}"
        return [oid for ref, oid in self.remote.refs().items() if ref.startswith(start)]


def configure(clone: Baton) -> None:
    """Let failed attempts come back soon and results land soon; the file is not committed."""
    exclude = Path(clone.git("rev-parse", "--path-format=absolute", "--git-path", "info/exclude"))
    exclude.parent.mkdir(parents=True, exist_ok=True)
    exclude.write_text("baton.toml\n")
    (clone.directory / "baton.toml").write_text(SETTINGS)


@contextmanager
def working(
    clone: Baton, *words: str, agent: str = ROGUE, verb: tuple[str, ...] = ("work",)
) -> Iterator[Worker]:
    """Run `baton work --json` (or ``verb``) in ``clone``; it is killed if it has not ended."""
    with tempfile.NamedTemporaryFile(suffix=".err") as errors:
        process = subprocess.Popen(
            [*COMMAND, *verb, "--agent", agent, "--json", *words],
            cwd=clone.directory,
            env=clone.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        worker = Worker(process, Path(errors.name))
        try:
            yield worker
        finally:
            if process.poll() is None:
                process.kill()
                process.send_signal(signal.SIGCONT)
            process.wait()
            worker._reader.join(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()


def work(clone: Baton, *words: str, agent: str = ROGUE) -> tuple[int, Worker]:
    """Run `baton work --json` to its end; return its exit status and what it told."""
    with working(clone, *words, agent=agent) as worker:
        return worker.end(), worker


def add(clone: Baton, *drafts: Event) -> None:
    """Add tasks whose titles are their ids."""
    lines = (json.dumps({"title": draft["id"], **draft}) for draft in drafts)
    clone.ok("add", "--from", "-", stdin="\n".join(lines))


def tasks(clone: Baton) -> dict[str, Event]:
    """All tasks by id."""
    return {task["id"]: task for task in clone.ok("list")["tasks"]}


def script(directory: Path, text: str, *, name: str = "agent.sh") -> str:
    """Write an agent in shell and return the command that runs it."""
    path = directory / name
    path.write_text(f"#!/bin/bash\nset -eu\n{text}\n")
    path.chmod(0o755)
    return f"'{path}'"


def kept_worktrees(clone: Baton) -> set[str]:
    """The worktrees beside the clone that are still there."""
    place = clone.directory.with_name(f"{clone.directory.name}.baton") / "worktrees"
    return set(os.listdir(place)) if place.is_dir() else set()


def prompts(clone: Baton) -> set[str]:
    """The prompt files that are still there."""
    place = clone.directory.with_name(f"{clone.directory.name}.baton") / "prompts"
    return set(os.listdir(place)) if place.is_dir() else set()
