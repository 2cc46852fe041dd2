"""Frames, one story each: late, dead, restarted, two of one name, from another world, set back."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from gitbaton.core.errors import HostRefused, Refused
from gitbaton.core.ids import Oid, new_nonce
from gitbaton.frames import edition
from gitbaton.frames.delivery import pack_delta
from gitbaton.frames.delta import StreamRun
from gitbaton.frames.history import History
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.objects import Person
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from tests.integration.frames.conftest import House
from tests.integration.frames.players import AGENTS, LEASE, Player, judge
from tests.integration.frames.switchboard import Line


def pass_time(house: House, seconds: float, *awake: Player) -> None:
    """Let time pass in small steps in which ``awake`` players look and work."""
    for _ in range(int(seconds / (LEASE / 6))):
        house.advance(LEASE / 6)
        for player in awake:
            player.turn()


def in_company(house: House) -> tuple[Player, Player]:
    """Return a primary and a worker that both have agents in the present frame, not yet run."""
    one, two = house.enter("one"), house.enter("two", primary=False)
    one.step()
    two.step()
    while not {"one", "two"} <= one.step().scene.engaged:
        pass
    two.step()
    return one, two


def check(house: House) -> int:
    return judge(house.repository, Line(house.board), house.board.taken)


def test_a_frame_waits_for_who_lives_and_not_for_who_died(house: House) -> None:
    """I5: alive is what this observer saw renewed, on its own clock."""
    one, _ = in_company(house)
    number = one.step().scene.number
    one.play()
    pass_time(house, LEASE * 0.7, one)
    assert one.step().scene.number == number, "two may still deliver"
    pass_time(house, LEASE * 0.8, one)
    assert one.step().scene.number > number, "two's lease ran out, long before the deadline"
    world = one.step().scene
    assert set(world.frame.roster) == {"one"} and world.engaged == {"one"}
    assert sorted(a for part in world.slices["one"] for a in part) == sorted(AGENTS), "taken over"
    check(house)


def test_a_live_worker_is_waited_for_until_the_deadline_and_merged_once_when_late(
    house: House,
) -> None:
    """I7: a late delta enters the next frame, once."""
    one, two = in_company(house)
    number = one.step().scene.number
    stale = two.view
    for _ in range(20):  # it is alive, and slow
        pass_time(house, LEASE / 6, one)
        two.step()
        if one.step().scene.number > number:
            break
    late = one.step().scene
    assert late.number == number + 1 and late.frame.missing == ("two",)
    assert one.attendant.watch.elapsed(late.number, one.step().sight) < LEASE / 3
    two.view = stale
    two.play()
    for _ in range(3):
        one.turn()
        two.turn()
    pairs = [pair for page in History(one.stage).log() for pair in page.frame.merged]
    assert pairs.count((number, "two")) == 1
    check(house)


def test_a_restarted_worker_runs_no_agent_again(house: House) -> None:
    """I7: neither when its delta waits, nor when it was merged."""
    one, two = in_company(house)
    two.play()
    before = dict(house.board.refs)
    two.start()
    two.turn()
    assert [n.kind for n in two.news].count("frame") == 1
    assert {r: o for r, o in house.board.refs.items() if "/live/" not in r} == {
        r: o for r, o in before.items() if "/live/" not in r
    }
    one.turn()
    one.step()
    two.start()
    two.last = -1
    two.step()
    number = two.step().scene.number
    assert two.attendant.fate(two.step(), Pair(number - 1, "two")) == "merged"
    check(house)


def test_a_delta_that_comes_again_after_it_was_merged_is_not_applied_again(house: House) -> None:
    """I7: the same commit, pushed late by a network that had held it back."""
    one, two = in_company(house)
    two.play()
    pair = Pair(two.step().scene.number, "two")
    ref = FrameRefs().delta(pair)
    commit = house.board.refs[ref]
    one.turn()
    one.step()
    assert ref not in house.board.refs
    house.board.refs[ref] = commit
    for _ in range(3):
        one.turn()
        two.turn()
    assert ref not in house.board.refs, "it is deleted again"
    check(house)


def forged(house: House, world: Oid, pair: Pair, text: bytes = b"") -> Oid:
    """Put a delta at its ref that no worker of ours has made."""
    objects = house.repository.objects
    written = {"1": text or b'{"op": "incr", "doc": "counts.json", "path": "/forged"}\n'}
    person = Person("Eve", "eve@example.org", 1)
    runs = {"1": StreamRun(("agent-0",))}
    commit, made = pack_delta(pair, world, runs, written, person, new_nonce(), objects.format)
    objects.write(made)
    house.board.refs[FrameRefs().delta(pair)] = commit
    return commit


def test_two_processes_of_one_name_deliver_one_delta_a_frame(house: House) -> None:
    """I3, I7: the second delta of a pair is kept, reported, and not merged."""
    one, two = in_company(house)
    seen = two.step().scene
    pair = Pair(seen.number, "two")
    two.play()
    one.turn()
    one.step()
    second = forged(house, seen.commit, pair)
    for _ in range(3):
        one.turn()
        two.turn()
    assert FrameRefs().delta(pair) not in house.board.refs
    pages = History(one.stage).log()
    reports = [q for page in pages for q in page.frame.quarantined]
    assert [(q.frame, q.worker) for q in reports] == [tuple(pair)] and second in reports[0].reason
    check(house)


def test_who_finds_its_name_taken_says_so_and_stops(house: House) -> None:
    """The newer process has the name; the older one ends instead of fighting for it."""
    one = house.enter("one")
    one.turn()
    twin = house.enter("one")
    twin.turn()
    with pytest.raises(Refused) as refused:
        one.turn()
    assert refused.value.code == "name_taken"


def test_who_slept_so_long_that_its_presence_was_litter_comes_back(house: House) -> None:
    """What was deleted in between is lit again; its agents are dealt to it in the next frame."""
    one, two = in_company(house)
    ref = FrameRefs().presence("two")
    steps = 0
    while ref in house.board.refs and steps < 60:
        house.advance(LEASE / 3)  # a longer gap between two looks would count no more
        one.step()
        steps += 1
    assert 28 < steps < 45, "not before ten leases, and with the next frame then"
    for _ in range(3):
        two.turn()
        one.turn()
    assert ref in house.board.refs and "two" in one.step().scene.frame.roster
    check(house)


def test_a_delta_of_another_world_goes_astray(house: House) -> None:
    """I7: what was not made from this world is never merged into it, nor is it built upon.

    A whole history may hang on it, which every clone of the world would have to fetch. So it stays
    where it is, and is told of once, whoever is primary.
    """
    one, _ = in_company(house)
    number = one.step().scene.number
    elsewhere = house.repository.git.run(
        "commit-tree", "-m", "elsewhere", house.repository.git.run("write-tree").text
    ).text
    stray = forged(house, Oid(elsewhere), Pair(number, "stranger"))
    ref = FrameRefs().delta(Pair(number, "stranger"))
    forged(house, one.step().scene.commit, Pair(number + 50, "prophet"))
    one.play()
    pass_time(house, LEASE * 2, one)
    reports = [q for page in History(one.stage).log() for q in page.frame.quarantined]
    assert [(q.frame, q.worker) for q in reports] == [(number, "stranger")]
    assert FrameRefs().delta(Pair(number + 50, "prophet")) in house.board.refs, "its time may come"
    assert b"forged" not in (one.step().scene.read("counts.json") or b"")
    one.start()  # it remembers nothing
    pass_time(house, LEASE * 2, one)
    last = one.step().scene.number
    for _ in range(5):
        one.step()  # nobody plays
    scene = one.step().scene
    assert scene.number <= last + 1, "it is nothing to close a frame for"
    assert [stray.worker for stray in scene.frame.astray] == ["stranger"]
    reports = [q for page in History(one.stage).log() for q in page.frame.quarantined]
    assert [(q.frame, q.worker) for q in reports] == [(number, "stranger")]
    assert house.board.refs.pop(ref) == stray
    history = house.repository.git.run("rev-list", one.step().scene.commit).text
    assert elsewhere not in history and stray not in history
    for _ in range(4):
        one.turn()
    assert one.step().scene.frame.astray == ()
    check(house)


def test_a_stray_is_told_of_though_the_first_push_was_lost(house: House) -> None:
    """I4: what a primary found out is not forgotten with the frame that would have said so."""
    one, _ = in_company(house)
    number = one.step().scene.number
    git = house.repository.git
    elsewhere = git.run("commit-tree", "-m", "elsewhere", git.run("write-tree").text).text
    forged(house, Oid(elsewhere), Pair(number, "stranger"))
    primary = one.attendant._primary
    assert primary is not None
    lost = primary.compose(one.step(), ())
    assert [stray.worker for stray in lost.edition.frame.astray] == ["stranger"]
    one.play()
    pass_time(house, LEASE * 2, one)
    reports = [q for page in History(one.stage).log() for q in page.frame.quarantined]
    assert [(q.frame, q.worker) for q in reports] == [(number, "stranger")]
    assert [stray.worker for stray in one.step().scene.frame.astray] == ["stranger"]
    check(house)


def test_a_delta_of_another_frame_of_this_world_is_set_aside(house: House) -> None:
    """I3: its parents are here already, however far back: it is kept and told of."""
    one, _ = in_company(house)
    old = one.step().scene
    pass_time(house, LEASE * 2, one)
    number = one.step().scene.number
    assert number >= old.number + 2
    odd = forged(house, old.commit, Pair(number, "odd"))
    one.play()
    pass_time(house, LEASE * 2, one)
    scene = one.step().scene
    reports = [q for page in History(one.stage).log() for q in page.frame.quarantined]
    assert [(q.frame, q.worker) for q in reports] == [(number, "odd")]
    assert not scene.frame.astray and odd in reports[0].reason
    assert FrameRefs().delta(Pair(number, "odd")) not in house.board.refs
    check(house)


def test_a_frame_of_an_older_version_with_a_failed_stream_can_be_made_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no list of them; what it did is right all the same."""
    one, _ = in_company(house)

    def fail() -> None:
        raise RuntimeError("it cannot")

    one.before_ops = fail
    with monkeypatch.context() as older:
        older.setattr(edition, "_failures", lambda deltas: ())
        pass_time(house, LEASE * 2, one)
    pass_time(house, LEASE, one)
    pages = [page for page in History(one.stage).log() if page.frame.number]
    assert {bool(page.frame.failed) for page in pages if page.frame.merged} == {True, False}
    assert [History(one.stage).replay(page).differences for page in pages] == [()] * len(pages)


def test_a_deposed_primary_cannot_publish(house: House) -> None:
    """The lease is rewritten in the push that publishes: who lost it is refused as a whole."""
    one, two = house.enter("one"), house.enter("two")
    one.turn()
    view = one.step()
    for _ in range(12):  # two hears nothing of one for longer than a lease
        two.clock.sleep(LEASE / 5)
        two.step()
    assert two.attendant.leads and one.attendant.leads, "two primaries, as far as they know"
    primary = one.attendant._primary
    assert primary is not None
    world = house.board.refs["refs/heads/world"]
    assert primary.publish(view, primary.compose(view, ())) is None
    assert house.board.refs["refs/heads/world"] == world
    one.step()
    assert "deposed" in [news.kind for news in one.news]


def test_a_world_that_was_set_back_is_not_played_on(house: House) -> None:
    """I7: its deltas would be merged a second time."""
    one, two = in_company(house)
    first = house.board.refs["refs/heads/world"]
    for player in (two, one):
        player.turn()
    one.step()
    house.board.refs["refs/heads/world"] = first
    for player in (one, house.enter("three")):
        with pytest.raises(Refused) as refused:
            player.step()
        assert refused.value.code == "world_rewound"


def test_people_may_commit_to_the_world_between_frames(house: House) -> None:
    """The next frame is merged upon what they wrote; deltas made before it count."""
    one, two = in_company(house)
    two.play()
    git = house.repository.git
    scene = one.step().scene
    blob = git.run("hash-object", "-w", "--stdin", stdin=b'{"by": "hand"}\n').text
    listed = git.run("ls-tree", scene.commit).text
    tree = git.run("mktree", stdin=f"{listed}\n100644 blob {blob}\thand.json\n".encode()).text
    commit = git.run("commit-tree", "-p", scene.commit, "-m", "by hand", tree).text
    house.board.apply([RefUpdate("refs/heads/world", scene.commit, Oid(commit))], whole=False)
    for _ in range(3):
        one.turn()
        two.turn()
    world = one.step().scene
    assert world.read("hand.json") == b'{"by": "hand"}\n' and world.number > scene.number
    history = History(one.stage)
    assert history.at(scene.number).commit == scene.commit
    assert (scene.number, "two") in history.at(scene.number + 1).frame.merged
    check(house)


def test_a_world_without_agents_stands_still(house: House) -> None:
    """Frames with nothing in them are not published one after the other."""
    house.open(agents={"doc": "nobody.json", "path": ""})
    one = house.enter("one")
    for _ in range(10):
        one.turn()
        house.advance(1.0)
    assert one.step().scene.number <= 2


def test_a_host_that_refuses_is_not_asked_for_ever(house: House) -> None:
    """Refs below the namespace are forbidden: the third refusal is its last word."""

    class Forbidding(Line):
        def push(self, updates: object, *, atomic: bool) -> dict[str, RefResult]:
            assert isinstance(updates, list)
            return {u.ref: RefResult(PushState.REFUSED, "not here") for u in updates}

    one = house.enter("one")
    one.remote = Forbidding(house.board)
    one.start()
    one.step()
    one.step()
    with pytest.raises(HostRefused):
        one.step()


def test_frames_are_told_apart_by_number_in_any_history(house: House) -> None:
    """``log``, ``at``, ``diff`` and ``replay`` of a longer run."""
    one, two = house.enter("one"), house.enter("two")
    rng = random.Random(5)
    for _ in range(25):
        rng.choice((one, two)).turn()
        house.advance(LEASE / 10)
    history = History(one.stage)
    last = history.at(None).frame.number
    assert last > 4
    assert [page.frame.number for page in history.log(limit=3)] == [last, last - 1, last - 2]
    changed = {change.name for change in history.diff(history.at(last - 1), history.at(last))}
    assert "frame.json" in changed and "quiet/still.json" not in changed
    assert all(history.replay(history.at(n)).differences == () for n in range(1, last + 1))
    with pytest.raises(Refused) as refused:
        history.at(last + 1)
    assert refused.value.code == "unknown_frame"
    with pytest.raises(Refused) as refused:
        history.replay(history.at(0))
    assert refused.value.code == "no_merge"


def test_a_ref_that_is_no_commit_neither_counts_nor_moves_the_clock(house: House) -> None:
    """I8: a file, and a tag that names a commit, at the refs of deltas."""
    one, _ = in_company(house)
    git = house.repository.git
    number = one.step().scene.number
    file = git.run("hash-object", "-w", "--stdin", stdin=b"no delta").text
    tagged = f"object {one.step().scene.commit}\ntype commit\ntag t\ntagger a <b> 1 +0000\n\nt\n"
    tag = git.run("mktag", stdin=tagged.encode()).text
    for frame, worker, oid in ((number, "file", file), (0, "old", file), (0, "tag", tag)):
        house.board.refs[FrameRefs().delta(Pair(frame, worker))] = Oid(oid)
    one.play()
    pass_time(house, LEASE * 1.5, one)
    before = one.step().scene.number
    for _ in range(5):  # its own agents aside, nothing happens: the clock stands
        one.step()
        house.advance(0.1)
    assert one.step().scene.number <= before + 1
    check(house)


def test_a_ref_that_stays_locked_is_not_tried_without_pause(house: House) -> None:
    """A killed server left ``world.lock``: the primary says so, and goes on when it is gone."""

    class Locked(Line):
        locked = True

        def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
            if self.locked and atomic:
                return {u.ref: RefResult(PushState.STALE, "cannot lock ref") for u in updates}
            return super().push(updates, atomic=atomic)

    one = house.enter("one")
    line = one.remote = Locked(house.board)
    one.start()
    for _ in range(8):
        one.turn()
    assert one.attendant.balked > 4 and "trouble" in [news.kind for news in one.news]
    line.locked = False
    for _ in range(3):
        one.turn()
    assert one.attendant.balked == 0 and one.step().scene.number > 1
    check(house)


@pytest.mark.soak
def test_every_merge_of_two_hundred_frames_can_be_made_again(house: House) -> None:
    """I7: ``judge`` replays each of them."""
    players = [house.enter(name) for name in ("one", "two", "three")]
    rng = random.Random(8)
    while players[0].step().scene.number < 200:
        rng.choice(players).turn()
        house.advance(rng.uniform(0.0, LEASE / 8))
    assert check(house) >= 200
