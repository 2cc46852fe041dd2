"""I3, I4: whoever is killed whenever while committing, nothing is lost and the next one works."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.errors import Refused
from tests.integration.chaos.seeds import SOAK, generator
from tests.integration.workspace.commit.house import build
from tests.integration.workspace.commit.victim import run_until_moment, run_until_step

SEEDS = 24  # in every run of the tests, each with one kill
KILLS = 6  # of a storm, in one repository, one after the other


class Scene:
    """A working tree with others' work in it, and a change to ``a.txt`` that shall be committed."""

    def __init__(self, top: Path) -> None:
        self.house = build(top)
        self.house.write("dir/c.txt", "dirty\n")
        self.house.write("staged.txt", "staged\n")
        self.house.git("add", "staged.txt")
        self.round = 0

    def prepare(self) -> None:
        """Change ``a.txt``, and make and remove a file."""
        self.round += 1
        self.house.write("a.txt", f"version {self.round}\n")
        self.house.write(f"new-{self.round}.txt", "n\n")
        self.gone = ("b.txt", "d.txt")[self.round % 2]
        (self.house.top / self.gone).unlink(missing_ok=True)
        self.paths = ["a.txt", f"new-{self.round}.txt"]
        if f"{self.gone}" in self.house.git("ls-tree", "--name-only", "HEAD").split("\n"):
            self.paths.append(self.gone)
        self.before = self.house.head

    def commit(self) -> None:
        """Commit the change."""
        self.house.commit(*self.paths, message=f"round {self.round}")

    def settle(self) -> bool:
        """Wait for git processes that outlived the killed one; tell whether the branch moved."""
        deadline = time.monotonic() + 20
        while any(self._locks()):
            assert time.monotonic() < deadline, list(self._locks())
            time.sleep(0.005)  # they were asked to end by the end of their input
        return self.house.head != self.before

    def judge(self, *, moved: bool) -> None:
        """Check the commit if it was made, and that everything else is as it was."""
        house = self.house
        if moved:
            assert {path for _, path in house.files()} == {path.encode() for path in self.paths}
            assert house.git("rev-parse", "HEAD^") == self.before
        assert house.content("a.txt").decode() in (f"version {self.round}\n", self._old_text)
        assert house.on_disk()["dir/c.txt"] == b"dirty\n"
        assert house.on_disk()["a.txt"].decode() == f"version {self.round}\n"
        status = house.status()
        assert "A  staged.txt" in status
        assert " M dir/c.txt" in status

    def go_on(self, *, moved: bool) -> None:
        """Commit again by ``baton``: what was killed is finished or made anew."""
        if moved:
            with pytest.raises(Refused, match="nothing to commit"):
                self.house.commit("a.txt")
        else:
            self.commit()
        assert self.house.content("a.txt").decode() == f"version {self.round}\n"
        assert sorted(self.house.status()) == [" M dir/c.txt", "A  staged.txt"]
        assert not list((self.house.top / ".git/baton/moves").iterdir())

    @property
    def _old_text(self) -> str:
        return self.house.content("a.txt", self.before).decode()

    def _locks(self) -> list[Path]:
        git_dir = self.house.top / ".git"
        return [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]


def test_a_kill_at_every_step(tmp_path: Path) -> None:
    """Before and after each process, rename and write of a commit."""
    scene = Scene(tmp_path / "house")
    step = moves = 0
    while True:
        scene.prepare()
        killed = run_until_step(scene.commit, step)
        moved = scene.settle()
        scene.judge(moved=moved)
        scene.go_on(moved=moved)
        moves += moved
        step += 1
        if not killed:
            break
    assert step > 30, "the steps were found"
    assert moves > 3, "some kills came after the branch had moved"
    scene.house.check()


def test_a_plain_commit_after_any_kill_reverts_nothing(tmp_path: Path) -> None:
    """Nobody runs ``baton`` again: what is committed stays so, whatever a sibling commits."""
    scene = Scene(tmp_path / "house")
    step = 0
    while True:
        scene.prepare()
        killed = run_until_step(scene.commit, step)
        moved = scene.settle()
        scene.house.write("staged.txt", f"{step}\n")
        scene.house.git("add", "staged.txt")
        scene.house.git("commit", "-q", "-m", "plain")
        if moved:
            assert scene.house.content("a.txt").decode() == f"version {scene.round}\n"
            assert scene.house.files() in ({("M", b"staged.txt")}, {("A", b"staged.txt")})
        scene.house.write("staged.txt", f"{step} and more\n")
        scene.house.git("add", "staged.txt")
        step += 2  # what the odd ones leave, the next even one meets as well
        if not killed:
            break
    scene.house.check()


class Stage:
    """Gives out one scene after the other test, and a new one after a test that failed."""

    def __init__(self, root: Path) -> None:
        self._root, self._free, self._built = root, list[tuple[Scene, float]](), 0

    @contextlib.contextmanager
    def scene(self) -> Iterator[tuple[Scene, float]]:
        """Give a scene, and how many seconds a commit in it takes."""
        if not self._free:
            self._built += 1
            self._free.append(set_up(self._root / f"house-{self._built}"))
        taken = self._free.pop()
        yield taken
        self._free.append(taken)  # not where the test has failed


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("kills"))


@pytest.mark.parametrize("number", range(SEEDS))
def test_a_kill_at_a_random_moment(number: int, stage: Stage) -> None:
    with stage.scene() as (scene, usual):
        kill(scene, number, usual)
        if number % KILLS == 0 or number == SEEDS - 1:
            scene.house.check()


@pytest.mark.soak
@pytest.mark.parametrize("number", range(SOAK))
def test_kills_at_many_random_moments(number: int, tmp_path: Path) -> None:
    scene, usual = set_up(tmp_path / "house")
    for turn in range(KILLS):
        kill(scene, SEEDS + number * KILLS + turn, usual)
    scene.house.check()


def set_up(top: Path) -> tuple[Scene, float]:
    """Build a scene, and measure a commit in it."""
    scene = Scene(top)
    scene.prepare()
    start = time.perf_counter()
    scene.commit()
    return scene, time.perf_counter() - start


def kill(scene: Scene, number: int, usual: float) -> None:
    """Kill a commit at a moment that the generator of seed ``number`` chooses, and judge."""
    scene.prepare()
    run_until_moment(scene.commit, generator(number).uniform(0, usual))
    moved = scene.settle()
    scene.judge(moved=moved)
    scene.go_on(moved=moved)
