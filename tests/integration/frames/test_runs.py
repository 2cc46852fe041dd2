"""Workers and primaries that run by themselves: how they end, and what they leave."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.journal import Journal, Undelivered
from gitbaton.frames.news import News
from gitbaton.frames.performance import Lead
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.frames.rounds import Rounds
from gitbaton.frames.stage import Stage
from tests.integration.frames.conftest import House
from tests.integration.frames.players import PERSON, Player, judge
from tests.integration.frames.switchboard import Crash, Line

PATIENCE = 30.0  # seconds; far more than anything here takes


class Heard:
    """What was said, and a way to wait for a word of it."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._changed = threading.Condition()

    def __call__(self, news: News) -> None:
        with self._changed:
            self.news.append(news)
            self._changed.notify_all()

    def wait_for(self, kind: str, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: sum(n.kind == kind for n in self.news) >= times, PATIENCE
            ), f"no {kind}: {[n.kind for n in self.news]}"


@contextmanager
def running(run: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Run something beside the test; it must have ended when the block is over."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield raised
    finally:
        thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def heard() -> Heard:
    return Heard()


def live(house: House, heard: Heard, name: str = "one") -> Player:
    """Return a worker on the real clock, with rounds that run."""
    player = house.enter(name)
    player.clock, player.by_itself, player.listener = SystemClock(), True, heard
    player.start()
    return player


def tokens(house: House) -> list[str]:
    return [ref for ref in house.board.refs if "/live/" in ref or ref.endswith("/primary")]


def test_a_worker_that_is_drained_finishes_its_frame_and_leaves(house: House, heard: Heard) -> None:
    player = live(house, heard)
    with running(player.worker.run) as raised:
        heard.wait_for("delivered", 2)
        player.worker.drain()
    assert raised == [] and tokens(house) == []
    assert heard.news[-1].kind == "stopped"
    judge(house.repository, Line(house.board), house.board.taken)


def test_a_worker_that_is_stopped_delivers_nothing_more(house: House, heard: Heard) -> None:
    player = live(house, heard)
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(PATIENCE)

    player.before_ops = hold
    with running(player.worker.run) as raised:
        assert begun.wait(PATIENCE)
        player.worker.stop()
        go_on.set()
    assert raised == [] and tokens(house) == []
    assert "delivered" not in [news.kind for news in heard.news]


def test_a_worker_goes_on_while_the_remote_is_away(house: House, heard: Heard) -> None:
    """What its agents did is delivered when the remote is back."""
    away = threading.Event()
    player = live(house, heard)
    line = player.remote
    assert isinstance(line, Line)
    line.hazard = lambda call: "cut" if away.is_set() else None
    player.before_ops = away.set
    with running(player.worker.run) as raised:
        heard.wait_for("offline")
        assert "delivered" not in [news.kind for news in heard.news]
        player.before_ops = lambda: None
        away.clear()
        heard.wait_for("delivered")
        player.worker.drain()
    assert raised == []
    judge(house.repository, Line(house.board), house.board.taken)


def test_a_bug_beside_the_streams_ends_the_worker(house: House, heard: Heard) -> None:
    player = live(house, heard)
    line = player.remote
    assert isinstance(line, Line)
    line.hazard = lambda call: "before" if call == "list" else None
    with running(player.worker.run) as raised:
        pass
    assert [type(error) for error in raised] == [Crash]


def test_what_was_made_and_not_delivered_is_delivered_by_the_next_run(
    house: House, heard: Heard
) -> None:
    """I4: killed before the push; its agents do not run again."""
    one = house.enter("one")
    one.step()
    while not one.step().scene.engaged:
        pass
    line = one.remote
    assert isinstance(line, Line)
    line.hazard = lambda call: "before" if call == "push" else None
    with pytest.raises(Crash):
        one.play()
    line.hazard = lambda call: None
    noted = Journal(one.place / "undelivered.json").read()
    assert noted is not None and FrameRefs().delta(noted.pair) not in house.board.refs
    one.start()
    one.turn()
    assert house.board.refs[FrameRefs().delta(noted.pair)] == noted.commit
    assert [news.kind for news in one.news].count("frame") == 1
    assert Journal(one.place / "undelivered.json").read() is None


def test_a_journal_of_another_clone_is_forgotten(house: House) -> None:
    one = house.enter("one")
    journal = Journal(one.place / "undelivered.json")
    journal.write(Undelivered(Pair(0, "one"), Oid("0" * 40)))
    one.turn()
    assert journal.read() is None
    (one.place / "undelivered.json").write_text('{"frame": 1, "worker": "one", "commit": "x"}')
    assert journal.read() is None


def test_a_primary_without_streams_leads_for_so_many_frames(house: House, heard: Heard) -> None:
    worker = live(house, Heard())
    worker.primary = False
    worker.start()
    stage = Stage(house.repository, Line(house.board), FrameRefs(), worker.clock)
    beacon = worker.make_beacon(FrameRefs().lease, "primary")
    attendant = Attendant(
        stage, presence=None, lease=beacon, person=PERSON, listener=heard, settle=0.0
    )
    lead = Lead(attendant, Rounds(attendant, heard, random.Random(1)), heard, frames=3)
    with running(lead.run) as raised:
        heard.wait_for("primary")
        with running(worker.worker.run):
            heard.wait_for("published", 3)
            worker.worker.drain()
    assert raised == [] and "refs/baton/frames/primary" not in house.board.refs
    judge(house.repository, Line(house.board), house.board.taken)


def test_a_look_fails_when_the_branch_moves_faster_than_it_is_read(house: House) -> None:
    """Bounded: whoever reads is told to try again."""
    one = house.enter("one")

    class Elsewhere(Line):
        def fetch(self, refs: object, *, have: object = ()) -> None:
            """The refs have moved on: nothing of what was listed comes."""

    house.board.refs["refs/heads/world"] = Oid("1" * 40)
    one.remote = Elsewhere(house.board)
    one.start()
    with pytest.raises(RemoteUnreachable):
        one.step()
