"""A plan across three machines, of which one is cut off, while programs are killed.

found -> serve -> run the plan -> two first attempts are under way on two machines
-> orchestrator killed, one machine cut off, the other's worker killed
-> orchestrator and worker started again -> others take over -> the machine is back
-> a person opens the gate -> all phases are done -> everybody goes home
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.functional.working import wait_until
from tests.integration.machines.lab import Lab
from tests.integration.machines.machine import HUB
from tests.integration.machines.programs import Program

DESK = "desk"
CAPABILITIES = {"north": (), "east": ("gpu",), "west": ("gpu",)}
NAMES = (DESK, *CAPABILITIES)
PLAN = Path(__file__).with_name("harbour.toml")
AGENT = Path(__file__).with_name("agent.py")
SETTINGS = """\
[queue]
lease = "6s"
backoff = "0.2s"
max_attempts = 50
[work]
landing_window = "0.2s"
pushes_per_minute = 10000
"""


class Story:
    """What happens in ``lab``. ``cut`` and ``killed`` are known when it is over.

    ``world``: where agents and the story meet, outside of all machines.
    """

    def __init__(self, lab: Lab, world: Path) -> None:
        self.lab, self.world = lab, world
        for name in ("hold", "up", "go", "fail"):
            (world / name).mkdir(parents=True)
        (world / "reports").touch()
        self.cut = self.killed = ""
        self._workers: dict[str, Program] = {}
        self._programs: list[Program] = []
        self._chapters: list[str] = []
        self._began = time.monotonic()

    def run(self) -> None:
        """Let it happen, to its end. Raises AssertionError."""
        try:
            self._found()
            self._serve()
            self._play()
            self._go_home()
        finally:
            for program in self._programs:
                program.kill()

    def __str__(self) -> str:
        return "\n".join([*self._chapters, *map(str, self._programs)])

    # --- before

    def _found(self) -> None:
        """Make the project, and everybody a clone of it."""
        desk = self.lab[DESK]
        desk.run("git", "init", "-q", str(desk.clone))
        (desk.clone / "baton.toml").write_text(SETTINGS)
        desk.git("add", "baton.toml")
        desk.git("commit", "-q", "-m", "settings")
        desk.git("remote", "add", "origin", self.lab.remote.url)
        desk.git("push", "-q", "origin", "main")
        desk.ok("init")
        self._each(self._clone)
        self._tell("everybody has a clone")

    def _clone(self, name: str) -> None:
        machine = self.lab[name]
        machine.run("git", "clone", "-q", self.lab.remote.url, str(machine.clone))
        machine.ok("init")

    def _serve(self) -> None:
        """Add the machines, looked at through ssh, and start a worker on each."""
        self._each(self._add)
        self._tell("the machines are added")
        for name in CAPABILITIES:
            self._start_worker(name)
        for worker in self._workers.values():
            wait_until(partial(worker.told, "started"), "a worker")
        self._tell("workers serve")

    def _add(self, name: str) -> None:
        path = str(self.lab[name].clone)
        self.lab[DESK].ok("worker", "add", name, "--name", name, "--path", path)

    def _start_worker(self, name: str) -> None:
        words = [word for capability in CAPABILITIES[name] for word in ("--cap", capability)]
        agent = f"{sys.executable} -I -S {AGENT} {self.world}"
        self._workers[name] = self._start(
            name, "worker", "serve", "--name", name, "--agent", agent, *words
        )

    # --- the plan runs

    def _play(self) -> None:
        for phase in ("haul", "press"):
            (self.world / "hold" / phase).touch()
        (self.world / "fail" / "weld").touch()
        orchestrator = self._start(DESK, "plan", "run", str(PLAN))
        self.cut, self.killed = self._place_of("haul"), self._place_of("press")
        self._tell(f"haul is under way on {self.cut}, press on {self.killed}")
        orchestrator.kill()
        self.lab.network.cut(self.cut)
        self._workers[self.killed].kill()
        self._tell(f"no orchestrator, no way to {self.cut}, no worker on {self.killed}")
        (self.world / "go" / "haul").touch()
        self._start_worker(self.killed)
        self._recover(self._start(DESK, "plan", "run", str(PLAN)))

    def _recover(self, orchestrator: Program) -> None:
        """See the others go on, the one that was cut off come back, and the plan finished."""
        wait_until(lambda: orchestrator.told("done", "harbour.haul"), "haul, elsewhere")
        away = self._workers[self.cut]
        wait_until(lambda: away.told("queued", "harbour.haul"), "the end of the first haul")
        self._tell(f"haul was done elsewhere, and is done on {self.cut}, where it waits")
        self.lab.network.mend(self.cut)
        wait_until(lambda: self._is_rescued("haul"), "the rescue of the first haul")
        self._tell(f"{self.cut} is back, and what it did of haul is rescued")
        wait_until(lambda: orchestrator.told("waits", "harbour.launch"), "the gate")
        self.lab[DESK].ok("approve", "harbour.launch")
        self._tell("the gate is open")
        assert orchestrator.wait() == 0, orchestrator
        status = self.lab[DESK].ok("plan", "status", "harbour")
        assert (status["verdict"], status["done"], status["total"]) == ("done", 12, 12)
        self._tell("all phases are done")

    def _place_of(self, phase: str) -> str:
        """Return on which machine the first attempt of a phase waits."""
        up = self.world / "up" / phase
        wait_until(lambda: up.exists() and up.read_text(), phase)
        return up.read_text()

    def _is_rescued(self, phase: str) -> bool:
        """Tell whether the remote keeps what attempts at a phase left."""
        start = f"refs/baton/rescue/harbour.{phase}/"
        return any(ref.startswith(start) for ref in self.lab.remote.refs())

    # --- after

    def _go_home(self) -> None:
        """End all workers; what waits is sent, and the board is brought up to date."""
        for worker in self._workers.values():
            worker.drain()
        for worker in self._workers.values():
            assert worker.wait() == 130, worker
        self._each(lambda name: self.lab[name].ok("sync"))
        self.lab[DESK].ok("fold")
        for name in (HUB, *NAMES):
            wait_until(partial(self.lab.is_quiet, name), f"the end of all on {name}")
        self._tell("everybody has gone home")

    # --- how it is told

    def _start(self, name: str, *words: str) -> Program:
        run = f"{words[0]}-{len(self._programs)}"
        program = Program.start(self.lab[name], run, *words)
        self._programs.append(program)
        return program

    def _each(self, do: Callable[[str], object]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(do, CAPABILITIES))

    def _tell(self, chapter: str) -> None:
        self._chapters.append(f"{time.monotonic() - self._began:5.1f}s {chapter}")
