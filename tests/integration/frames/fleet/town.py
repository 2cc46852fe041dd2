"""What happens: five workers advance a world, and one trouble after another befalls them."""

from __future__ import annotations

import dataclasses
import json
import random
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.functional.working import wait_until
from tests.integration.machines.lab import Lab
from tests.integration.machines.machine import HUB
from tests.integration.machines.programs import Program

WORKERS: Final = ("north", "east", "south", "west", "centre")
AGENTS: Final = 100
STREAMS: Final = 10
CITIZEN: Final = Path(__file__).with_name("citizen.sh")
CONFIG: Final = {"deadline": 12, "lease": 4}


@dataclass
class Member:
    """A worker: its process now, and the word by which the ledger knows that process."""

    program: Program
    life: str
    frozen_at: int | None = None  # the frame


class Town:
    """The fleet in ``lab``. ``world``: where the streams' ledger and the story meet."""

    def __init__(self, lab: Lab, world: Path, seed: int) -> None:
        self.lab = lab
        self.ledger = world / "ledger"
        (self.ledger / "killed").mkdir(parents=True)
        self._world = world
        self._dice = random.Random(seed)
        self._members: dict[str, Member] = {}
        self._programs: list[Program] = []
        self._chapters: list[str] = []
        self._began = time.monotonic()

    def run(self, frames: int) -> None:
        """Found the world, and let it live for so many frames with a trouble in every third."""
        try:
            self._found()
            for name in WORKERS:
                self._start(name)
            troubles = [self._kill_worker, self._delay_worker, self._kill_primary]
            for number, frame in enumerate(range(3, frames - 4, 3)):
                self._until_frame(frame)
                if number % len(troubles) == 0:
                    self._dice.shuffle(troubles)
                troubles[number % len(troubles)]()
            self._until_frame(frames)
            self._go_home()
        finally:
            for program in self._programs:
                program.process.send_signal(signal.SIGCONT)
                program.kill()

    def __str__(self) -> str:
        return "\n".join([*self._chapters, *map(str, self._programs)])

    # --- before

    def _found(self) -> None:
        first = self.lab[WORKERS[0]]
        first.run("git", "init", "-q", str(first.clone))
        (first.clone / "readme").write_text("a town\n")
        first.git("add", "readme")
        first.git("commit", "-q", "-m", "begin")
        first.git("remote", "add", "origin", self.lab.remote.url)
        first.git("push", "-q", "origin", "main")
        for name in WORKERS[1:]:
            machine = self.lab[name]
            machine.run("git", "clone", "-q", self.lab.remote.url, str(machine.clone))
        docs = self._world / "docs"
        docs.mkdir()
        names = [f"a{number:03}" for number in range(AGENTS)]
        (docs / "agents.json").write_text(json.dumps(names))
        (docs / "world.json").write_text(json.dumps(CONFIG))
        (docs / "map.json").write_text('{"never": "touched"}')
        assert first.ok("frame", "init", "--docs", str(docs))["made"]
        self._tell("the world is founded")

    def _start(self, name: str) -> None:
        life = uuid.uuid4().hex[:12]
        machine = self.lab[name]
        env = {**machine.env, "LIFE": life, "LEDGER": str(self.ledger)}
        words = ["frame", "work", "--name", name, "--streams", str(STREAMS), "--cmd", str(CITIZEN)]
        program = Program.start(dataclasses.replace(machine, env=env), f"work-{life}", *words)
        self._programs.append(program)
        self._members[name] = Member(program, life)

    # --- troubles

    def _kill_worker(self) -> None:
        """Kill one that is not the primary; others go on; it comes back."""
        self._kill(self._dice.choice(self._others()))

    def _kill_primary(self) -> None:
        """Kill the primary; another takes over; it comes back."""
        before = len(self._primaries())
        self._kill(self._primaries()[-1])
        self._until(lambda: len(self._primaries()) > before, "another primary")
        self._tell(f"{self._primaries()[-1]} is the primary now")

    def _delay_worker(self) -> None:
        """Stop one in the middle of a frame, until two frames have passed."""
        name = self._dice.choice(self._others())
        member = self._members[name]
        wait_until(lambda: self._is_busy(member), f"{name} in the middle of a frame")
        member.program.process.send_signal(signal.SIGSTOP)
        self._tell(f"{name} is stopped at frame {self.frame}")
        self._until_frame(self.frame + 2)
        member.program.process.send_signal(signal.SIGCONT)
        self._tell(f"{name} goes on at frame {self.frame}")

    def _kill(self, name: str) -> None:
        member = self._members[name]
        (self.ledger / "killed" / member.life).touch()
        member.program.kill()
        self._tell(f"{name} is killed at frame {self.frame}")
        self._until_frame(self.frame + self._dice.randrange(3))
        self._start(name)
        self._tell(f"{name} is started again at frame {self.frame}")

    # --- after

    def _go_home(self) -> None:
        for member in self._members.values():
            member.program.drain()
        for member in self._members.values():
            assert member.program.wait() == 130, member.program
        for name in (HUB, *WORKERS):
            self._until_quiet(name)
        self._tell("everybody has gone home")

    def _until_quiet(self, name: str) -> None:
        try:
            wait_until(lambda: self.lab.is_quiet(name), f"the end of all on {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.lab.running(name)}") from error

    # --- what is known

    @property
    def frame(self) -> int:
        """The number of the current frame, as the remote has it."""
        return int(json.loads(self.lab.remote.git("show", "world:frame.json"))["number"])

    def _until_frame(self, number: int) -> None:
        self._until(lambda: self.frame >= number, f"frame {number}")

    def _primaries(self) -> list[str]:
        """Who has said that it is the primary, in that order."""
        told = sorted(
            (event["at"], program.machine.name)
            for program in self._programs
            for event in program.events
            if event["event"] == "primary"
        )
        return [name for _, name in told]

    def _others(self) -> list[str]:
        return [name for name in WORKERS if name != self._primaries()[-1]]

    @staticmethod
    def _is_busy(member: Member) -> bool:
        steps = [e["event"] for e in member.program.events if e["event"] in ("frame", "delivered")]
        return steps[-1:] == ["frame"]

    def _until(self, condition: Callable[[], object], what: str) -> None:
        def holds() -> bool:
            for member in self._members.values():
                status = member.program.process.poll()
                assert status in (None, -signal.SIGKILL), member.program
            return bool(condition())

        wait_until(holds, what)

    def _tell(self, chapter: str) -> None:
        self._chapters.append(f"{time.monotonic() - self._began:5.1f}s {chapter}")
