"""Sixteen players who start together: processes where the engine can be shared, else threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any, TypeAlias

from gitbaton.store.protocol import Store

from .engines import find_engine

SIZE = 16
PATIENCE = 120.0  # seconds until a player who waits for the others gives up


@dataclass(frozen=True, slots=True)
class Player:
    """One of the crew: its number, how many rounds to play, and how to wait for the others."""

    number: int
    rounds: int
    meet: Callable[[], object]


Play: TypeAlias = Callable[[Store, Player], Any]


class Crew:
    """Players who run one play at once, each with its own handle on one site."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._process_barrier = spawn.Barrier(SIZE, timeout=PATIENCE)
        self._thread_barrier = threading.Barrier(SIZE, timeout=PATIENCE)
        self._processes = ProcessPoolExecutor(
            SIZE, mp_context=spawn, initializer=_take_seat, initargs=(self._process_barrier,)
        )
        self._threads = ThreadPoolExecutor(SIZE)

    def run(self, play: Play, engine: str, site: Path) -> list[Any]:
        """Return what each player's ``play`` returned, by number."""
        executor: Executor
        if find_engine(engine).processes:
            executor, barrier = self._processes, None
            self._process_barrier.reset()
        else:
            executor, barrier = self._threads, self._thread_barrier
            self._thread_barrier.reset()
        futures = [
            executor.submit(_enter, play, engine, site, number, dict(os.environ), barrier)
            for number in range(SIZE)
        ]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:  # raise one that is more than the echo of another
            raise min(errors, key=lambda error: isinstance(error, BrokenBarrierError))
        answers: list[tuple[tuple[int, int], Any]] = [future.result() for future in futures]
        assert len({who for who, _ in answers}) == SIZE, "some players were the same one"
        return [answer for _, answer in answers]

    def dismiss(self) -> None:
        """End the processes and threads."""
        self._processes.shutdown()
        self._threads.shutdown()


_seat: ProcessBarrier | None = None


def _take_seat(barrier: ProcessBarrier) -> None:
    global _seat
    _seat = barrier


def _enter(
    play: Play,
    engine: str,
    site: Path,
    number: int,
    environment: Mapping[str, str],
    threads: threading.Barrier | None,
) -> tuple[tuple[int, int], Any]:
    barrier = threads or _seat
    assert barrier is not None
    if threads is None:
        os.environ.clear()
        os.environ.update(environment)
    try:
        barrier.wait()
        store = find_engine(engine).open(site, number % 4)
        try:
            answer = play(store, Player(number, find_engine(engine).rounds, barrier.wait))
        finally:
            if threads is None:
                store.close()
    except BaseException:
        barrier.abort()  # or the others would wait for this one
        raise
    return (os.getpid(), threading.get_ident()), answer
