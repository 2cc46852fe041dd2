"""Worker processes whose every step the test takes, and what they must leave behind."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gitbaton.core.clock import ManualClock, SystemClock
from gitbaton.core.ids import Oid
from gitbaton.frames import Append, Incr, Op, StreamView
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.beacon import Beacon
from gitbaton.frames.courier import Courier
from gitbaton.frames.errand import run_in_process
from gitbaton.frames.founding import Founding, found
from gitbaton.frames.frame import World
from gitbaton.frames.history import History
from gitbaton.frames.journal import Journal
from gitbaton.frames.news import Listener, News
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.frames.rounds import Rounds
from gitbaton.frames.shelf import Shelf
from gitbaton.frames.stage import Stage, View
from gitbaton.frames.tokens import Role
from gitbaton.frames.troupe import Troupe
from gitbaton.frames.worker import Terms, Worker
from gitbaton.git.objects import decode_commit
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.trees import walk_files

PERSON = ("Ada", "ada@example.org")
LEASE, DEADLINE = 30.0, 60.0
AGENTS = [f"agent-{number}" for number in range(6)]


def founding(**changes: object) -> Founding:
    """Return a small world."""
    config = World(**{"lease": LEASE, "deadline": DEADLINE, **changes})  # type: ignore[arg-type]
    documents = {
        "agents.json": json.dumps(AGENTS).encode(),
        "counts.json": b"{}",
        "quiet/still.json": b'{"never": "touched"}',
    }
    return Founding(config=config, documents=documents)


@dataclass
class Player:
    """One worker process: its memory dies with ``start``, its directory and name do not.

    ``by_itself``: its rounds may run; else the test takes every step, and no failure is waited for.
    """

    name: str
    place: Path
    repository: CoordinationRepository
    remote: Remote
    clock: ManualClock | SystemClock
    streams: int = 2
    primary: bool = True
    by_itself: bool = False
    news: list[News] = field(default_factory=list)
    listener: Listener | None = None
    before_ops: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Be a new process: nothing is remembered but what is on disk and on the remote."""
        refs, tell = FrameRefs(), self.listener or self.news.append
        self.stage = Stage(self.repository, self.remote, refs, self.clock)
        self.attendant = Attendant(
            self.stage,
            presence=self.make_beacon(refs.presence(self.name), "worker"),
            lease=self.make_beacon(refs.lease, "primary") if self.primary else None,
            person=PERSON,
            listener=tell,
            settle=0.0,
        )
        rounds = Rounds(self.attendant, tell, random.Random(0))
        if not self.by_itself:
            rounds.stop()
        shelf = Shelf(self.place / "worlds", self.repository.objects)
        shelf.clear()
        runner = run_in_process(self._stream, self.clock)
        self.worker = Worker(
            Terms(name=self.name, person=PERSON),
            self.attendant,
            rounds,
            Troupe(self.name, self.place, shelf, runner, tell),
            Courier(
                self.name,
                PERSON,
                self.attendant,
                rounds,
                Journal(self.place / "undelivered.json"),
                tell,
            ),
            tell,
        )
        self.view: View | None = None
        self.last = -1

    def step(self) -> View:
        """Look once, renewing and closing what is due."""
        first = self.view is None
        self.view = self.attendant.step()
        if first:
            self.worker.catch_up(self.view)
        return self.view

    def play(self) -> None:
        """Run the agents of the frame that was seen last, if it is a new one."""
        if self.view is not None and self.view.scene.number > self.last:
            self.worker.play(self.view)
            self.last = self.view.scene.number

    def turn(self) -> None:
        """A step, and what it makes possible."""
        self.step()
        self.play()

    def _stream(self, view: StreamView) -> Iterable[Op]:
        self.before_ops()
        for agent in view.agents:
            mark = f"{view.frame}/{self.name}/{agent}/{random.getrandbits(40):x}"
            yield Incr("counts.json", f"/{agent}", 1)
            yield Append("log.json", "", {"mark": mark})

    def make_beacon(self, ref: str, role: Role) -> Beacon:
        """Return a token of this process."""
        return Beacon(
            ref=ref,
            role=role,
            name=self.name,
            machine="here",
            person=PERSON,
            clock=self.clock,
            format=self.repository.objects.format,
            streams=self.streams if role == "worker" else 0,
        )


def begin(repository: CoordinationRepository, remote: Remote, **changes: object) -> None:
    """Found the world."""
    stage = Stage(repository, remote, FrameRefs(), ManualClock())
    assert found(stage, founding(**changes), PERSON).made


def judge(repository: CoordinationRepository, remote: Remote, deltas: Iterable[Oid] = ()) -> int:
    """Check the whole history; return the number of the last frame.

    I7: frames are consecutive, no pair is merged twice, each of the ``deltas`` that a server ever
    took is among the parents of exactly one frame, each op of a merged one counts exactly once,
    and every merge can be made again.
    """
    stage = Stage(repository, remote, FrameRefs(), ManualClock())
    history = History(stage)
    pages = history.log()
    assert [page.frame.number for page in pages] == list(reversed(range(len(pages))))
    pairs = Counter(pair for page in pages for pair in page.frame.merged)
    assert not [pair for pair, count in pairs.items() if count > 1], "merged twice"
    taken: Counter[Oid] = Counter()
    marks: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    for page in pages:
        commit = decode_commit(repository.objects.read(page.commit)[1])
        taken.update(commit.parents[1:])
        for pair, oid in zip(page.frame.merged, commit.parents[1:], strict=False):
            for mark, agent in marks_of(repository, oid):
                marks[mark] += 1
                agents[agent] += 1
            assert Pair(*pair).frame < page.frame.number
        if page.frame.number:
            assert history.replay(page).differences == ()
    assert set(taken.values()) <= {1}, "one delta, one frame"
    assert set(deltas) <= set(taken), "a delta was lost"
    world = pages[0].scene
    log = json.loads(world.read("log.json") or b"[]")
    assert Counter(entry["mark"] for entry in log) == marks
    assert json.loads(world.read("counts.json") or b"{}") == dict(agents)
    return pages[0].frame.number


def marks_of(repository: CoordinationRepository, delta: Oid) -> Iterable[tuple[str, str]]:
    """Return the marks and agents of the ops in a delta, read past the readers of deltas."""
    objects = repository.objects
    for path, blob in walk_files(objects, decode_commit(objects.read(delta)[1]).tree):
        for line in objects.read(blob)[1].splitlines() if path.startswith("streams/") else ():
            op = json.loads(line)
            if op["op"] == "append":
                yield op["value"]["mark"], op["value"]["mark"].split("/")[2]
