"""Who waits for the lock of a working tree is served in turn, whoever is killed meanwhile (I4)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitbaton.core.clock import Clock, ManualClock, SystemClock
from gitbaton.core.errors import Refused
from gitbaton.core.flock import lock_now
from gitbaton.workspace.safecommit.lock import Holder, TreeBusy, TreeLock
from gitbaton.workspace.safecommit.queue import draw, is_empty
from tests.integration.workspace.commit.house import House
from tests.integration.workspace.commit.victim import fork, join

_ENOUGH = 120.0  # seconds that nothing here takes


class Announcing(SystemClock):
    """Says by one byte that its process has looked, and waits for the first time."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self._pipe = pipe

    def sleep(self, seconds: float) -> None:
        if self._pipe:
            os.write(self._pipe, b".")
            self._pipe = 0
        super().sleep(seconds)


@dataclass
class Line:
    """Processes that stand in line for one lock, each of which notes when it had it."""

    state: Path
    notes: Path
    said: tuple[int, int] = field(default_factory=os.pipe)
    go: tuple[int, int] = field(default_factory=os.pipe)
    children: dict[str, int] = field(default_factory=dict)

    def lock(self, clock: Clock | None = None) -> TreeLock:
        who = Holder(pid=os.getpid(), command="test")
        return TreeLock(self.state, clock or SystemClock(), who)

    def holder(self) -> None:
        """Let a process take the lock, and keep it until ``release``."""

        def work() -> None:
            with self.lock().hold(timeout=_ENOUGH):
                os.write(self.said[1], b".")
                os.read(self.go[0], 1)

        self._begin("holder", work)

    def waiter(self, name: str, *, timeout: float = _ENOUGH) -> None:
        """Let a process stand behind all that are there."""

        def work() -> None:
            with (
                self.lock(Announcing(self.said[1])).hold(timeout=timeout),
                self.notes.open("a") as notes,
            ):
                notes.write(f"{name}\n")

        self._begin(name, work)

    def release(self) -> None:
        os.write(self.go[1], b".")

    def kill(self, name: str) -> None:
        child = self.children.pop(name)
        os.kill(child, signal.SIGKILL)
        assert join(child) == -signal.SIGKILL

    def end(self) -> list[str]:
        """Wait until all have ended well; return who had the lock, in order."""
        while self.children:
            assert join(self.children.pop(next(iter(self.children)))) == 0
        return self.notes.read_text().split() if self.notes.exists() else []

    def close(self) -> None:
        for child in self.children.values():  # a test that failed
            os.kill(child, signal.SIGKILL)
            join(child)
        for handle in (*self.said, *self.go):
            os.close(handle)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        self.children[name] = fork(work)
        assert os.read(self.said[0], 1)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    state = tmp_path / "baton"
    made = Line(state, tmp_path / "notes")
    yield made
    made.close()


@pytest.mark.parametrize("ends", ["in order", "killed"])
@pytest.mark.parametrize("killed", [(), ("0",), ("3",), ("2", "3", "7")])
def test_first_come_first_served(line: Line, killed: tuple[str, ...], ends: str) -> None:
    """Eight waiters, some of whom are killed: the others have the lock in the order they came."""
    line.holder()
    names = [str(number) for number in range(8)]
    for name in names:
        line.waiter(name)
    for name in killed:
        line.kill(name)
    if ends == "killed":
        line.kill("holder")
    else:
        line.release()
    assert line.end() == [name for name in names if name not in killed]
    with line.lock().hold(timeout=0):  # takes away what the last one left, if that was killed
        assert is_empty(line.state / "commit.queue")


def test_who_comes_last_does_not_get_in_first(line: Line) -> None:
    """The lock is free, and somebody waits who has not noticed: a newcomer leaves it to them."""
    line.state.mkdir()
    ahead = draw(line.state / "commit.queue")
    lock = line.lock(ManualClock())
    with pytest.raises(TreeBusy, match="and for 1 that came before"), lock.hold(timeout=0.5):
        pass
    ahead.give_back()
    with line.lock(ManualClock()).hold(timeout=0):
        pass


def test_who_is_stopped_in_the_queue_stops_nobody(line: Line) -> None:
    """A waiter that is stopped (^Z) is passed over when the lock has been free for a second."""
    line.holder()
    line.waiter("stopped")
    os.kill(line.children["stopped"], signal.SIGSTOP)
    line.release()
    assert join(line.children.pop("holder")) == 0
    clock = ManualClock()
    start = clock.elapsed()
    with line.lock(clock).hold(timeout=5):
        assert 1.0 <= clock.elapsed() - start < 1.2
    os.kill(line.children["stopped"], signal.SIGCONT)
    assert line.end() == ["stopped"]


def test_who_gives_up_leaves_the_queue(line: Line) -> None:
    line.holder()
    line.waiter("before")
    told: list[str] = []
    lock = line.lock(ManualClock())
    with pytest.raises(TreeBusy) as busy, lock.hold(timeout=7, waiting=told.append):
        pass
    who = f"process {line.children['holder']} (test), since 20"
    assert who in busy.value.message
    assert busy.value.message.endswith(", and for 1 that came before; waited 7 s")
    [text] = told
    assert text.startswith(f"waiting for {who}")
    line.waiter("after")
    assert len(os.listdir(line.state / "commit.queue")) == 2
    line.release()
    assert line.end() == ["before", "after"]


def test_a_ticket_that_was_not_locked_yet_is_taken_for_a_dead_ones(tmp_path: Path) -> None:
    """Killed between the two steps of drawing a ticket: it is nobody's, and is taken away."""
    queue = tmp_path / "queue"
    queue.mkdir()
    (queue / "4").touch()
    ticket = draw(queue)
    assert ticket.count_ahead() == 1
    assert ticket.is_first()
    assert os.listdir(queue) == ["5"]
    ticket.give_back()
    assert is_empty(queue)


def test_whose_ticket_was_taken_away_draws_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other side of it: the owner lives, and notices."""
    queue = tmp_path / "queue"
    taken: list[Path] = []

    def lock_late(handle: int) -> bool:
        if not taken:
            taken.append(queue / "1")
            taken[0].unlink()
        return lock_now(handle)

    monkeypatch.setattr("gitbaton.workspace.safecommit.queue.lock_now", lock_late)
    ticket = draw(queue)
    assert taken
    assert os.listdir(queue) == ["1"]
    assert draw(queue).count_ahead() == 1
    ticket.give_back()


def test_a_linked_working_tree_has_a_lock_of_its_own(house: House) -> None:
    house.git("worktree", "add", "-q", "../linked")
    linked = House(house.top.parent / "linked")
    with house.checkout().lock.hold(timeout=0):
        with linked.checkout().lock.hold(timeout=0):
            pass
        with pytest.raises(TreeBusy), house.checkout(clock=ManualClock()).lock.hold(timeout=0):
            pass


def test_where_there_is_no_flock_the_use_is_refused(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(Refused, match=r"no flock\(2\)") as refused, line.lock().hold(timeout=0):
        pass
    assert refused.value.code == "unsupported"
