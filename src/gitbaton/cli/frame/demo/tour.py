"""The tour itself: eight acts, each a method, played in order."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gitbaton.cli.demo.fleet import Fleet, Heard
from gitbaton.cli.demo.narrator import Narrator
from gitbaton.cli.demo.snapshot import take_snapshot
from gitbaton.cli.demo.stage import DESK, MACHINES, TourFailed
from gitbaton.cli.demo.verdict import Verdict
from gitbaton.cli.frame.demo.stage import TownStage, find_town
from gitbaton.cli.frame.demo.verify import Evidence, verify
from gitbaton.cli.output import one_line

_SOON: Final = 60.0  # seconds that anything may take on a slow machine
_DEADLINE, _LEASE = "8s", "2s"
_STREAMS: Final = 2
_STYLES: Final = {"published": "green", "primary": "cyan", "late": "yellow", "deposed": "yellow"}
_TRIES: Final = 10


class TownTour:
    """Plays the acts on ``stage`` and tells them to ``tell``."""

    def __init__(self, stage: TownStage, tell: Narrator, page: Path | None) -> None:
        self.stage = stage
        self.tell = tell
        self.fleet = Fleet(stage, self._hear)
        self.before: dict[str, Mapping[str, str]] = {}
        self._page = page
        self._starts: dict[str, int] = {}  # worker -> what had been heard when it was started

    def play(self) -> None:
        """Play everything up to the verification. Raises TourFailed naming what went wrong."""
        self.found()
        self.start_workers()
        self.kill_worker()
        self.kill_primary()
        self.delay_worker()
        self.finish()

    # --- the acts

    def found(self) -> None:
        """Act 1: a remote, and a world on it."""
        self.tell.act(
            "A town on a branch",
            "Lantern Bay is a dozen JSON documents: who lives there, where they are, what they "
            "own, what they say. Frame 0 of them goes to the branch `world` of a bare repository.",
        )
        self.stage.build()
        for name in MACHINES:
            self.before[name] = take_snapshot(self.stage, self.stage.place(name))
        self.tell.command("python town.py seed town")
        self.tell.line(self.stage.play_town("seed", str(self.stage.root / "town")))
        words = ["frame", "init", "--docs", str(self.stage.root / "town")]
        self.tell.command("baton frame init --docs town")
        answer = self.stage.baton(DESK, *words, "--deadline", _DEADLINE, "--lease", _LEASE)
        self.tell.block(answer.out, lines=1)

    def start_workers(self) -> None:
        """Act 2: three machines share the residents."""
        self.tell.act(
            "Three machines, a hundred residents",
            "Each worker runs its share of them in two streams. Whoever finds nobody in charge "
            "becomes the primary: it merges what all of them want, and publishes the next frame.",
        )
        self.tell.command(f"baton frame work --streams {_STREAMS} --cmd 'python town.py stream'")
        for name in MACHINES:
            self._start(name)
        self._until(lambda: self._frame >= 3, "frame 3")

    def kill_worker(self) -> None:
        """Act 3: SIGKILL to one that is not the primary."""
        doomed = self._others[0]
        self.tell.act(
            f"{doomed} is killed",
            "What it had not delivered is lost with it, and nothing else. Nobody waits for it "
            "longer than its lease, and in the next frame others run its residents.",
        )
        self._kill(doomed)
        self._pass(3, f"frames without {doomed}")
        self._start(doomed)
        self.tell.line(f"{doomed} is started again")

    def kill_primary(self) -> None:
        """Act 4: SIGKILL to the primary."""
        primary = self._primary
        self.tell.act(
            f"{primary} is killed, the primary",
            "A frame is published by one atomic push, whole or not at all. Another worker takes "
            "the lease over and merges the same deltas.",
        )
        self._kill(primary)
        self._until(lambda: self._primary != primary, "another primary")
        self._pass(2, "frames of the new primary")
        self._start(primary)
        self.tell.line(f"{primary} is started again")

    def delay_worker(self) -> None:
        """Act 5: one is frozen, and delivers when its frame is long closed."""
        late = self._others[0]
        self.tell.act(
            f"{late} falls asleep",
            "It is stopped in the middle of a frame, as a closed lid does, and the others go on. "
            "Awake again, it delivers: too late for its frame, so the next one takes it, once.",
        )
        for _ in range(_TRIES):
            if self._sleeps_through(late):
                return
        raise TourFailed(f"{late} was never in the middle of a frame")

    def finish(self) -> None:
        """Act 6: a last frame, and everybody goes home."""
        self.tell.act("An ordinary evening", "All three are back. A last look at the fleet:")
        self._pass(3, "three more frames")
        self.tell.command("baton frame status")
        self.tell.block(self.stage.baton(DESK, "frame", "status").out, lines=8)
        for name in MACHINES:
            self.fleet.drain(name)
        self._until(lambda: not any(map(self.fleet.is_running, MACHINES)), "the end of all workers")

    def check(self) -> list[Verdict]:
        """Act 7: verify everything that was promised."""
        self.tell.act("Is it true?", "Read back from the remote, with plain git.")
        verdicts = verify(Evidence(self.stage, self.before))
        for each in verdicts:
            self.tell.verdict(each.name, each.detail, ok=each.ok)
        return verdicts

    def look_around(self) -> None:
        """Act 8: the log, a conflict, and the page."""
        stage = self.stage
        self.tell.act("What is there now")
        self.tell.command("baton frame log -n 6")
        self.tell.block(stage.baton(DESK, "frame", "log", "-n", "6").out, lines=7)
        page = self._page or _page_file()
        self.tell.command("python town.py page")
        self.tell.line(stage.play_town("page", "--repo", str(stage.hub), "-o", str(page)))
        self._page = page

    def sabotage(self) -> None:
        """Give the treasury a coin, behind everybody's back: the verification must notice."""
        git, desk = self.stage.git, self.stage.place(DESK)
        git(desk, "fetch", "-q", "origin", "world")
        git(desk, "checkout", "-q", "-B", "world", "FETCH_HEAD")
        purses = desk / "purses.json"
        owned = json.loads(purses.read_text(encoding="utf-8"))
        purses.write_text(json.dumps(owned | {"treasury": owned["treasury"] + 1}))
        git(desk, "commit", "-q", "--amend", "--no-edit", "--", "purses.json")
        git(desk, "push", "-q", "--force", "origin", "world")

    def farewell(self, kept: Path | None) -> None:
        """Say where everything is, and what to do next."""
        out = self.tell.out
        out.say(f"The town, frame by frame: file://{self._page}")
        if kept is not None:
            out.say(f"kept: {kept}")
        else:
            out.hint("The directory is removed; to look around: baton frame demo --keep")
        out.hint(f"The town itself: {self.stage.town}")
        out.hint("Next: in a clone of yours, baton frame init")

    # --- parts of acts

    def _start(self, name: str) -> None:
        self._starts[name] = len(self.fleet.heard)
        words = ["frame", "work", "--name", name, "--streams", str(_STREAMS)]
        self.fleet.start(name, name, *words, "--cmd", self.stage.stream)

    def _kill(self, name: str) -> None:
        self.tell.command(f"kill -9  # {name}")
        self.fleet.kill(name)

    def _pass(self, frames: int, what: str) -> None:
        """Let so many more frames be published."""
        wanted = self._frame + frames
        self._until(lambda: self._frame >= wanted, what)

    def _sleeps_through(self, name: str) -> bool:
        """Freeze a worker at work while two frames pass; tell whether its delta came late."""
        self._until(lambda: self._under_way(name) is not None, f"{name} in the middle of a frame")
        self.fleet.freeze(name)
        frame = self._under_way(name)
        self._pass(2, f"frames without {name}")
        self.fleet.thaw(name)
        if frame is None:
            return False  # it was just delivering
        self._until(lambda: self._merged_in(frame, name) is not None, f"what {name} delivers")
        return self._merged_in(frame, name) != frame + 1

    @property
    def _frame(self) -> int:
        """The last frame that was published, as far as we heard."""
        return max((said.frame or 0 for said in self._heard("published")), default=0)

    @property
    def _primary(self) -> str:
        """Who became primary last, as far as we heard."""
        return [said.who for said in self._heard("primary")][-1]

    @property
    def _others(self) -> Sequence[str]:
        """The workers that are not primary."""
        return [name for name in MACHINES if name != self._primary]

    def _under_way(self, name: str) -> int | None:
        """Return the frame that a worker is in the middle of, as far as we heard."""
        since = self.fleet.heard[self._starts[name] :]  # one that was killed may have been at work
        steps = [s for s in since if s.who == name and s.kind in ("frame", "delivered")]
        return steps[-1].frame if steps and steps[-1].kind == "frame" else None

    def _merged_in(self, frame: int, name: str) -> int | None:
        """Return which frame took the delta of a worker."""
        for said in self._heard("published"):
            if [frame, name] in said.detail["merged"]:
                return said.frame
        return None

    def _heard(self, *kinds: str) -> Iterator[Heard]:
        return (said for said in self.fleet.heard if said.kind in kinds)

    def _hear(self, heard: Heard) -> None:
        """Tell what a worker says, where it matters."""
        if heard.kind in _STYLES:
            text = one_line(heard.text).removeprefix(f"frame {heard.frame}: ")
            words = f"{heard.who:<9} frame {heard.frame:<3} {heard.kind:<9} {text}"
            self.tell.line(words, style=_STYLES[heard.kind])

    def _until(self, happened: Callable[[], bool], what: str) -> None:
        self.fleet.until(happened, what, seconds=_SOON, wanted=list(self.fleet.members))


def open_town(page: Path | None) -> Callable[[Path, Mapping[str, str], Narrator], TownTour]:
    """Return what makes the tour in an empty directory. ``page``: where the page is to be."""

    def make(root: Path, env: Mapping[str, str], narrator: Narrator) -> TownTour:
        return TownTour(TownStage(root, env, find_town()), narrator, page)

    return make


def _page_file() -> Path:
    """Return a new file for the page, which stays when the tour is over."""
    handle, name = tempfile.mkstemp(prefix="lantern-bay-", suffix=".html")
    os.close(handle)
    return Path(name)
