"""Programs that run on machines for long: workers and orchestrators, and what they tell."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.functional.working import PATIENCE
from tests.integration.machines.machine import Machine

Event = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A `baton … --json` on ``machine``; ``out`` and ``err`` are what it said, each in a file."""

    machine: Machine
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @staticmethod
    def start(machine: Machine, name: str, *words: str) -> Program:
        """Start ``baton *words --json``. ``name``: of this run, for its files."""
        out, err = (machine.home / f"{name}.{kind}" for kind in ("out", "err"))
        process = machine.start(*words, "--json", out=out, err=err)
        return Program(machine, process, out, err)

    @property
    def events(self) -> list[Event]:
        """What it has told so far."""
        whole, _, _ = self.out.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def told(self, kind: str, task: str | None = None) -> bool:
        """Whether it has told an event of this kind, about this task. Raises when it is over."""
        for event in self.events:
            if event.get("event") == kind and task in (None, event.get("task")):
                return True
        assert self.process.poll() is None, f"it ended before {kind} {task}\n{self}"
        return False

    def kill(self) -> None:
        """End it at once, and nothing that it has started."""
        self.process.kill()
        self.process.wait()

    def drain(self) -> None:
        """Ask it to come to an end."""
        self.process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(PATIENCE)

    def __str__(self) -> str:
        said = [f"--- {self.machine.name}: {self.out.name}"]
        said += [
            " ".join(str(value) for value in event.values())
            for event in self.events
            if event.get("event") not in ("output", "working")
        ]
        return "\n".join([*said, self.err.read_text(errors="replace")])
