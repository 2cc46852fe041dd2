"""The streams of one worker in one frame: what they are given, run side by side, and collected."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gitbaton.core.ids import new_nonce
from gitbaton.frames.delta import StreamRun
from gitbaton.frames.errand import Ended, Errand, Halt, Runner
from gitbaton.frames.limits import Limits, share_out
from gitbaton.frames.news import Listener, News, counted
from gitbaton.frames.scene import Scene
from gitbaton.frames.shelf import Shelf

_KEPT = 3  # frames whose ops and logs stay on disk


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a frame's streams: how each went, and what each wrote, byte for byte."""

    runs: Mapping[str, StreamRun]
    written: Mapping[str, bytes]


class Troupe:
    """Runs the streams of the worker ``name`` below ``place``. For one thread."""

    def __init__(
        self, name: str, place: Path, shelf: Shelf, runner: Runner, listener: Listener
    ) -> None:
        self._name = name
        self._place = place / "frames"
        self._shelf = shelf
        self._runner = runner
        self._listener = listener
        self._world: Path | None = None  # that of the last frame, whose streams have ended

    def play(self, scene: Scene, *, timeout: float, halt: Halt) -> Played:
        """Run the streams that have agents in this frame, all at once; return when all have ended.

        Raises BatonError when the disk is full.
        """
        world = self._shelf.lay(scene.number, scene.tree)
        errands = self._errands(scene, world, timeout)
        agents = sum(len(errand.agents) for errand in errands)
        shares = f"{counted(agents, 'agent')} in {counted(len(errands), 'stream')}"
        self._tell(
            "frame",
            scene.number,
            f"frame {scene.number}: {shares}",
            {"agents": agents, "streams": len(errands)},
        )
        with ThreadPoolExecutor(len(errands), thread_name_prefix="stream") as pool:
            ended = list(pool.map(lambda errand: self._run(errand, halt), errands))
        self._world = world
        return Played(
            {
                errand.stream: StreamRun(errand.agents, end.outcome, end.detail)
                for errand, end in zip(errands, ended, strict=True)
            },
            _collect(errands, scene.config.limits),
        )

    def tidy(self) -> None:
        """Take back the world of the streams that have ended. Not while others wait for them."""
        world, self._world = self._world, None
        if world is not None:
            self._shelf.release(world)

    def _errands(self, scene: Scene, world: Path, timeout: float) -> list[Errand]:
        place = self._make_room(scene)
        return [
            Errand(
                frame=scene.number,
                worker=self._name,
                stream=str(number),
                agents=agents,
                world=world,
                place=place / f"stream-{number}",
                timeout=timeout,
            )
            for number, agents in enumerate(scene.slices[self._name], 1)
            if agents
        ]

    def _run(self, errand: Errand, halt: Halt) -> Ended:
        try:
            errand.prepare()
            ended = self._runner(errand, halt)
        except OSError as error:  # the disk is full
            ended = Ended("failed", f"there is no place for it: {error.strerror}")
        if ended.outcome != "ok" and halt() is None:
            self._tell(
                "stream",
                errand.frame,
                f"stream {errand.stream} {ended.outcome}: {ended.detail}",
                {
                    "stream": errand.stream,
                    "outcome": ended.outcome,
                    "detail": ended.detail,
                    "log": str(errand.log),
                },
            )
        return ended

    def _make_room(self, scene: Scene) -> Path:
        """Return a directory for this run of the frame; remove those of runs long gone.

        Each run has its own: what a killed worker's streams still write after its restart, and
        whatever they left there in place of files, is in nobody's way.
        """
        self._place.mkdir(parents=True, exist_ok=True)
        there = sorted(self._place.iterdir(), key=lambda path: path.lstat().st_mtime)
        for path in there[: max(len(there) - _KEPT + 1, 0)]:
            shutil.rmtree(path, ignore_errors=True)
        return self._place / f"{scene.number}-{scene.commit[:12]}-{new_nonce()[:8]}"

    def _tell(
        self, kind: Literal["frame", "stream"], frame: int, text: str, detail: Mapping[str, Any]
    ) -> None:
        self._listener(News(kind, frame, text, detail))


def _collect(errands: Sequence[Errand], limits: Limits) -> dict[str, bytes]:
    """Return what each stream wrote, as much of it as a delta may have."""
    room = share_out([min(errand.written, limits.stream) for errand in errands], limits.delta)
    return {errand.stream: errand.collect(most) for errand, most in zip(errands, room, strict=True)}
