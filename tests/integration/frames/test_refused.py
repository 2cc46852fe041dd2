"""Deltas that a host does not take: put aside and told, while their worker goes on (I3, I7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import HostRefused
from gitbaton.core.ids import Oid
from gitbaton.frames.history import History
from gitbaton.frames.journal import Journal
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from tests.integration.frames.conftest import House
from tests.integration.frames.players import Player, judge, marks_of
from tests.integration.frames.switchboard import Crash, Line
from tests.integration.frames.test_protocol import settle

REFS = FrameRefs()


class Picky(Line):
    """A way to a host whose hook declines every push with a commit that is not to its ``taste``.

    To be declined takes a while by the ``clock``.
    """

    clock: ManualClock
    taste: Callable[[Oid], bool]
    declined: list[RefUpdate]

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        bad = [u for u in updates if u.new is not None and not self.taste(u.new)]
        self.declined += bad
        if bad:
            self.clock.advance(4.0)
            return {u.ref: RefResult(PushState.REFUSED, "too much of it") for u in updates}
        return super().push(updates, atomic=atomic)


def enter(house: House, taste: Callable[[Oid], bool]) -> tuple[Player, Picky]:
    """Return a player on a line to such a host."""
    line = Picky(house.board)
    line.taste, line.declined = taste, []
    line.clock = ManualClock()
    one = Player("one", house.root / "one", house.repository, line, line.clock)
    house.players.append(one)
    return one, line


def reach_new_frame(one: Player) -> Pair:
    """Step until a frame is there that the player has not played; return the name of its delta."""
    while one.step().scene.number <= one.last:
        pass
    assert one.view is not None
    return Pair(one.view.scene.number, "one")


def has_ops(house: House, commit: Oid) -> bool:
    """Tell whether a commit is a delta with ops in it."""
    return bool(list(marks_of(house.repository, commit)))


def test_a_refused_delta_is_put_aside_and_its_worker_goes_on(house: House) -> None:
    """Its frame closes at once, the record says why, and its ops are kept in the clone."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    line.taste = lambda commit: not has_ops(house, commit)
    number, _ = pair = reach_new_frame(one)
    one.play()
    line.taste = lambda commit: True
    settle(house, one, 2)
    judge(house.repository, one.remote)
    (page,) = [p for p in History(one.stage).log() if p.frame.quarantined]
    (told,) = page.frame.quarantined
    refused = {u.new for u in line.declined if u.ref == REFS.delta(pair)}
    (delta,) = refused
    assert (page.frame.number, told.frame, told.worker) == (number + 1, number, "one")
    assert told.reason == f"the host refused its delta {delta}: too much of it"
    assert delta is not None and has_ops(house, delta)
    (news,) = [news for news in one.news if news.kind == "refused"]
    assert news.detail == {"commit": delta, "reason": "too much of it"}
    kept = house.repository.git.run("for-each-ref", "--format=%(objectname)", "refs/kept/frames/")
    assert kept.text.split() == [delta], "no gc takes it"


def test_a_host_that_takes_nothing_stops_the_worker_and_loses_nothing(house: House) -> None:
    """I3: what was made stays noted, and is delivered when the host takes it."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    ref = REFS.delta(reach_new_frame(one))
    line.taste = lambda commit: False
    with pytest.raises(HostRefused, match="too much of it"):
        one.play()
    noted = Journal(one.place / "undelivered.json").read()
    assert noted is not None and noted.stand_in is not None
    assert len({u.new for u in line.declined if u.ref == ref}) == 2
    one.start()
    with pytest.raises(HostRefused, match="too much of it"):
        one.step()
    assert len({u.new for u in line.declined if u.ref == ref}) == 2, "it has one stand-in for ever"
    line.taste = lambda commit: True
    one.start()
    settle(house, one, 2)
    judge(house.repository, one.remote, [noted.commit])
    assert not [page for page in History(one.stage).log() if page.frame.quarantined]


@pytest.mark.parametrize("fate", ["after", "lost", "before", "cut"])
def test_killed_while_the_stand_in_is_sent(house: House, fate: str) -> None:
    """I4, I7: whichever of the two is there, it is its own worker's, and it is there once."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    ref = REFS.delta(reach_new_frame(one))
    line.taste = lambda commit: not has_ops(house, commit)

    def strike(call: str) -> str | None:
        noted = Journal(one.place / "undelivered.json").read()
        if call != "push" or noted is None or noted.stand_in is None:
            return None
        line.hazard = lambda call: None
        return fate

    line.hazard = strike
    try:
        one.play()
    except Crash:
        one.start()
    delta = next(u.new for u in line.declined if u.ref == ref)
    line.taste = lambda commit: commit != delta
    settle(house, one, 2)
    judge(house.repository, one.remote)
    (page,) = [p for p in History(one.stage).log() if p.frame.quarantined]
    assert len(page.frame.quarantined) == 1
    assert any(news.kind == "refused" for news in one.news)


def test_a_refused_delta_that_arrives_all_the_same(house: House) -> None:
    """I7: the ref is created once. Later than the stand-in it is a repetition, and kept."""
    for before in (True, False):
        house.open()
        one, line = enter(house, lambda commit: True)
        settle(house, one, 2)
        line.taste = lambda commit: not has_ops(house, commit)
        pair = reach_new_frame(one)

        def arrive(call: str, pair: Pair = pair, one: Player = one) -> str | None:
            noted = Journal(one.place / "undelivered.json").read()
            if noted is not None and noted.stand_in is not None:
                house.board.refs.setdefault(REFS.delta(pair), noted.commit)
            return None

        line.hazard = arrive if before else line.hazard
        one.play()
        line.hazard, line.taste = (lambda call: None), (lambda commit: True)
        if not before:
            settle(house, one, 1)
            house.board.refs[REFS.delta(pair)] = next(
                u.new for u in line.declined if u.new and u.ref == REFS.delta(pair)
            )
        settle(house, one, 2)
        judge(house.repository, one.remote)
        aside = [q for p in History(one.stage).log() for q in p.frame.quarantined]
        assert len(aside) == (0 if before else 2)
        house.root.joinpath("one").rename(house.root / f"was-{before}")


def test_a_stand_in_that_was_merged_while_its_worker_was_dead(house: House) -> None:
    """I4: the frame has it, and its worker is no stranger to it."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    pair = reach_new_frame(one)
    line.taste = lambda commit: not has_ops(house, commit)

    def strike(call: str) -> str | None:
        noted = Journal(one.place / "undelivered.json").read()
        return "after" if call == "push" and noted is not None and noted.stand_in else None

    line.hazard = strike
    with pytest.raises(Crash):
        one.play()
    two = house.enter("two")
    settle(house, two, 1)
    assert tuple(pair) in two.step().scene.frame.merged or two.step().scene.number > pair.frame + 1
    line.hazard, line.taste = (lambda call: None), (lambda commit: True)
    one.start()
    settle(house, one, 2)
    assert any(news.kind == "refused" for news in one.news)
    judge(house.repository, one.remote)


def test_a_host_that_refuses_for_a_moment_loses_nothing(house: House) -> None:
    """I3: a delta is given up for what lasts, not for three refusals of one second."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    reach_new_frame(one)
    began = line.clock.elapsed()
    line.taste = lambda commit: line.clock.elapsed() - began > 28.0
    one.play()
    assert Journal(one.place / "undelivered.json").read() is None
    settle(house, one, 2)
    judge(house.repository, one.remote)
    assert not [page for page in History(one.stage).log() if page.frame.quarantined]
    assert not [news for news in one.news if news.kind == "refused"]


@pytest.mark.parametrize("arrives", [False, True])
def test_a_host_that_refuses_is_away_and_comes_back_well(house: House, arrives: bool) -> None:
    """I3, I7: after an outage the delta has its turn again, unless its stand-in is there."""
    one, line = enter(house, lambda commit: True)
    settle(house, one, 2)
    ref = REFS.delta(reach_new_frame(one))
    journal = Journal(one.place / "undelivered.json")

    def is_well(commit: Oid) -> bool:
        noted = journal.read()
        return noted is not None and noted.stand_in is not None

    def cut(call: str) -> str | None:
        noted = journal.read()
        if call != "push" or noted is None or noted.stand_in is None:
            return None
        line.hazard, line.taste = (lambda call: None), (lambda commit: True)
        if arrives:
            house.board.refs[ref] = noted.stand_in
        return "cut"

    line.taste, line.hazard = is_well, cut
    one.play()
    settle(house, one, 2)
    judge(house.repository, one.remote)
    aside = [page for page in History(one.stage).log() if page.frame.quarantined]
    assert len(aside) == arrives
    assert len([news for news in one.news if news.kind == "refused"]) == arrives
    kept = house.repository.git.run("for-each-ref", "refs/kept/frames/").text
    assert bool(kept) == arrives, "what has arrived need not be kept"
