"""A worker that serves, in memory: its queue, its inbox, tools of any version, and no agents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.version import Version

from gitbaton.plans.announcement import Announcement, encode_plan
from gitbaton.plans.inbox.bells import FileBell
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.model import Handle, Message
from gitbaton.plans.toolchain.probe import ToolProbe
from gitbaton.plans.toolchain.requirements import Found, parse_requirements
from gitbaton.serving.doorkeeping import Doorkeeper
from gitbaton.serving.errands import Errands
from gitbaton.serving.fitness import Fitness
from gitbaton.serving.mailroom import Mailroom
from gitbaton.store.memory import MemoryStore
from gitbaton.tasks.claims import Claimant
from gitbaton.work.events import Teller, WorkEvent
from gitbaton.work.reception import Errand
from tests.unit.tasks.desk import AT, Desk

NAME = "gpu-1"


class Tools(ToolProbe):
    """The tools of a machine, as a test says they are."""

    def __init__(self, versions: dict[str, str]) -> None:
        super().__init__({})
        self.versions = versions
        self.asked = 0

    def find(self, tools: Iterable[str]) -> dict[str, Found]:
        known = {tool: Found(Version(version)) for tool, version in self.versions.items()}
        return {tool: known.get(tool, Found(None, "is not on PATH")) for tool in tools}

    def forget(self) -> None:
        self.asked += 1


class FakeErrands(Errands):
    """Answers nothing by itself; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Message] = []
        self.able = True

    @property
    def possible(self) -> bool:
        return self.able

    def run(self, message: Message, slot: int) -> None:
        self.given.append(message)


@dataclass
class FakeFloor:
    """A worker's floor. Claims are real; nothing is worked on."""

    desk: Desk
    fitness: Fitness
    slots: int = 1
    draining: bool = False
    names: list[str] = field(default_factory=list)

    @property
    def at_work(self) -> tuple[str, ...]:
        return tuple(self.names)

    @property
    def free(self) -> int:
        return self.slots - len(self.names)

    def engage(self, task: str) -> None:
        words = self.fitness.words() or frozenset()
        self.desk.queue.claim(Claimant(f"{NAME}#1", NAME, "m", words), ids=[task])
        self.names.append(task)

    def lend(self, name: str, errand: Errand) -> None:
        self.names.append(name)
        errand(self.slots)


class Station:
    """All of it, on one clock that is moved by hand."""

    def __init__(self, *, required: dict[str, str] | None = None, **versions: str) -> None:
        self.desk = Desk()
        self.clock = self.desk.clock
        self.tools = Tools(versions)
        self.troubles: tuple[str, ...] = ()
        self.fitness = Fitness(
            NAME,
            frozenset({"gpu"}),
            store=self.desk.store,
            tools=self.tools,
            required=parse_requirements(required or {}),
            troubles=lambda: self.troubles,
            clock=self.clock,
        )
        self.floor = FakeFloor(self.desk, self.fitness)
        self.doorkeeper = Doorkeeper(NAME, self.desk.queue, self.fitness)
        self.inbox = Inbox(MemoryStore(clock=self.clock), self.clock, own=True)
        self.errands = FakeErrands()
        self.events: list[WorkEvent] = []
        drain = Drain(
            self.inbox,
            reader=NAME,
            boxes={""},
            lease=60.0,
            clock=self.clock,
            bell=FileBell((), self.clock),
        )
        self.mailroom = Mailroom(
            drain,
            self.doorkeeper,
            self.errands,
            self.fitness,
            clock=self.clock,
            tell=Teller(self.events.append, self.clock),
        )

    def announce(self, plan: str, **toolchain: str) -> None:
        """Write the record of a plan, as an orchestrator does."""
        announcement = Announcement(
            name=plan,
            revision=1,
            digest="0" * 64,
            target=None,
            toolchain=toolchain,
            phases=("x",),
            by="ann",
            at=AT,
        )
        self.desk.put(announcement.key, encode_plan(announcement))

    def send(self, text: str = "", *, task: str | None = None, id: str | None = None) -> Handle:
        """Send a message to this worker."""
        draft = make_draft(sender="plan/p", text=text, task=task, id=id)
        return self.inbox.send(draft).handle

    def attend(self) -> None:
        """Let some seconds pass, and let the mail be seen to."""
        self.clock.advance(6.0)
        self.mailroom.attend(self.floor)

    def answer(self, handle: Handle) -> str | None:
        """The response to a message, None: there is none."""
        response = self.inbox.response(handle)
        return None if response is None else response.text
