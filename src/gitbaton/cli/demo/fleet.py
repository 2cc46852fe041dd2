"""The workers of the tour: started, heard, stopped, killed, and none left behind."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gitbaton.cli.demo.stage import MARK, Stage, TourFailed

_TICK: Final = 0.05
_DRAINED: Final = (0, 1)  # how `work --drain` ends: 1 when an attempt failed or was lost
_END_OF_ALL: Final = 20.0  # seconds until what will not die is reported


@dataclass(frozen=True, slots=True)
class Heard:
    """What a process of the fleet said: one event of ``work``, ``frame work`` or ``reap``.

    ``frame`` and ``detail`` are those of ``frame work``.
    """

    who: str
    kind: str
    task: str | None
    epoch: int | None
    text: str
    slot: int | None = None
    commit: str | None = None
    frame: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """One process of the fleet. ``ending``: it has been told to end, or been killed."""

    name: str
    process: subprocess.Popen[str]
    ending: bool = False


@dataclass(slots=True)
class Fleet:
    """Everything that the tour has started and that is not over at once."""

    stage: Stage
    listener: Callable[[Heard], None]
    heard: list[Heard] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    _said: queue.Queue[Heard] = field(default_factory=queue.Queue)
    _started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str, machine: str, *words: str) -> None:
        """Start ``baton *words --json`` on ``machine`` and listen to it."""
        log = self.stage.root / "logs" / f"{name.replace('/', '-')}.log"
        process = self.stage.start(machine, *words, "--json", log=log)
        self._started.append(process)
        self.members[name] = Member(name, process)
        threading.Thread(target=self._listen, args=(name, process), daemon=True).start()

    def kill(self, name: str) -> None:
        """End it as a power cut would."""
        self._signal(name, signal.SIGKILL)
        self.members[name].process.wait()

    def drain(self, name: str) -> None:
        """Ask it to come to an end, as ^C does."""
        self._signal(name, signal.SIGINT)

    def is_running(self, name: str) -> bool:
        """Tell whether it has not ended."""
        return self.members[name].process.poll() is None

    def freeze(self, name: str) -> None:
        """Stop it as a closed lid does; ``thaw`` opens the lid."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        self._signal(name, signal.SIGCONT)
        self.members[name].ending = False

    def _signal(self, name: str, number: int) -> None:
        member = self.members[name]
        member.ending = True
        os.kill(member.process.pid, number)

    # --- listening

    def until(
        self, happened: Callable[[], bool], what: str, *, seconds: float, wanted: Sequence[str] = ()
    ) -> None:
        """Tell what is heard until ``happened``; raise TourFailed after ``seconds``.

        ``what``: what is waited for. ``wanted``: who must not end before.
        """
        deadline = time.monotonic() + seconds
        while not happened():
            if self._tell():
                continue
            for name in wanted:
                self._require(name)
            if time.monotonic() > deadline:
                raise TourFailed(f"after {seconds:g} s still waiting for {what}")
            time.sleep(_TICK)

    def said(self, kind: str, task: str, *, epoch: int | None = None) -> Iterator[Heard]:
        """Yield what was heard of that kind about that task."""
        for heard in self.heard:
            if (heard.kind, heard.task) == (kind, task) and epoch in (None, heard.epoch):
                yield heard

    def _tell(self) -> bool:
        try:
            heard = self._said.get_nowait()
        except queue.Empty:
            return False
        self.heard.append(heard)
        self.listener(heard)
        return True

    def _require(self, name: str) -> None:
        member = self.members[name]
        status = member.process.poll()
        if status not in (None, *_DRAINED) and not member.ending:
            raise TourFailed(f"{name} ended unasked with {status}; see logs/")

    def _listen(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):  # a line cut short by a kill
                self._said.put(_understand(name, json.loads(line)))

    # --- the end

    def end(self) -> None:
        """Kill whatever is left of what was started. Raises TourFailed if something will not."""
        for process in self._started:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._started.clear()
        deadline = time.monotonic() + _END_OF_ALL
        while left := find_marked(str(self.stage.root)):
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TourFailed(f"processes that will not end: {', '.join(map(str, left))}")
            time.sleep(_TICK)


def find_marked(run: str) -> list[int]:
    """Return the processes of the tour in the directory ``run``, without this one."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone, or not ours
            if process.environ().get(MARK) == run and process.pid != os.getpid():
                found.append(process.pid)
    return found


def _understand(name: str, said: dict[str, Any]) -> Heard:
    if "error" in said:  # how a command that fails says so under --json
        return Heard(name, "trouble", None, None, said["error"]["message"])
    if "event" not in said:  # `reap --json`
        task = said["task"]
        return Heard(name, "reaped", task["id"], said["epoch"], said["reason"])
    return Heard(
        name,
        said["event"],
        said.get("task"),
        said.get("epoch"),
        said["text"],
        said.get("slot"),
        said.get("commit"),
        said.get("frame"),
        said.get("detail", {}),
    )
