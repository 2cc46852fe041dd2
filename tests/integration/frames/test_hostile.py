"""Frames against what people and hostile workers push: one of them must never stop the fleet."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gitbaton.core.clock import ManualClock, SystemClock
from gitbaton.core.ids import Oid
from gitbaton.frames import primary
from gitbaton.frames.edition import Edition, make_edition
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from tests.integration.frames.conftest import House
from tests.integration.frames.players import Player, judge
from tests.integration.frames.switchboard import Crash, Line
from tests.integration.frames.test_protocol import settle

REFS = FrameRefs()


def git(house: House, *args: str, stdin: bytes = b"") -> Oid:
    """Run git in the players' repository; return the object that it names."""
    return Oid(house.repository.git.run(*args, stdin=stdin).text)


def write(house: House, kind: str, body: bytes) -> Oid:
    """Write any object, well formed or not."""
    return git(house, "hash-object", "-t", kind, "-w", "--stdin", "--literally", stdin=body)


def tree(house: House, entries: Mapping[str, tuple[str, Oid]]) -> Oid:
    """Write a tree of (mode and kind, id) by name."""
    lines = [f"{mode} {oid}\t{name}\n" for name, (mode, oid) in entries.items()]
    return git(house, "mktree", stdin="".join(lines).encode())


def commit(
    house: House, made: Oid, *parents: Oid, author: str = "Eve <eve@example.org> 1 +0000"
) -> Oid:
    """Write a commit by hand."""
    lines = [f"tree {made}", *(f"parent {p}" for p in parents), f"author {author}"]
    lines += ["committer Eve <eve@example.org> 1 +0000", "", "by hand", ""]
    return write(house, "commit", "\n".join(lines).encode())


def edited(house: House, tip: Oid, name: str, body: bytes | None, *parents: Oid) -> Oid:
    """Return a commit by hand upon ``tip`` (or ``parents``) with another document ``name``."""
    listed = house.repository.git.run("ls-tree", tip).text.split("\n")
    entries: dict[str, tuple[str, Oid]] = {}
    for line in listed:
        mode, kind, rest = line.split(" ")
        oid, _, there = rest.partition("\t")
        entries[there] = (f"{mode} {kind}", Oid(oid))
    entries.pop(name, None)
    if body is not None:
        entries[name] = ("100644 blob", write(house, "blob", body))
    return commit(house, tree(house, entries), *(parents or (tip,)))


def world(house: House) -> Oid:
    """Return the tip of the world."""
    return house.board.refs[REFS.world]


def move(house: House, to: Oid) -> None:
    """Push the world by hand."""
    house.board.refs[REFS.world] = to


def bomb(house: House) -> Oid:
    """Return a tree of a few objects that has ten billion files."""
    made = tree(house, {"f": ("100644 blob", write(house, "blob", b"boom"))})
    for _ in range(10):
        made = tree(house, {f"d{number}": ("040000 tree", made) for number in range(10)})
    return made


def goes_on(house: House, player: Player) -> None:
    """Two more frames come, and the history holds."""
    settle(house, player, 2)
    judge(house.repository, player.remote)


@pytest.mark.parametrize("author", ["nobody", "Eve <eve@example.org> soon", ""])
def test_a_delta_whose_author_nobody_can_read_stops_nobody(house: House, author: str) -> None:
    """I8: a server takes such a commit; it is data."""
    one = house.enter("one")
    settle(house, one, 2)
    number = one.step().scene.number
    header = {"format": 1, "frame": number, "worker": "eve", "streams": {}}
    blob = write(house, "blob", json.dumps(header).encode())
    evil = commit(
        house, tree(house, {"delta.json": ("100644 blob", blob)}), world(house), author=author
    )
    house.board.refs[REFS.delta(Pair(number, "eve"))] = evil
    goes_on(house, one)


def test_a_delta_of_ten_billion_files_is_not_read(house: House) -> None:
    """I8: only what a delta has is looked at."""
    one = house.enter("one")
    settle(house, one, 2)
    number = one.step().scene.number
    house.board.refs[REFS.delta(Pair(number, "eve"))] = commit(house, bomb(house), world(house))
    goes_on(house, one)


def test_a_presence_of_a_billion_streams_is_nobodys(house: House) -> None:
    """I8: what a token claims goes into nobody's slices."""
    one, eve = house.enter("one"), house.enter("eve", primary=False)
    eve.streams = 10**12
    eve.start()
    settle(house, one, 1)
    eve.step()
    goes_on(house, one)
    assert one.view is not None and "eve" not in one.view.scene.frame.roster


@pytest.mark.parametrize("body", [None, b"{ no json", b'{"number": "seven"}'])
def test_a_frame_record_that_was_broken_and_mended_holds_up_nothing(
    house: House, body: bytes | None
) -> None:
    """I4, I7: deltas made before the accident count, once."""
    one, two = house.enter("one"), house.enter("two")
    settle(house, one, 2)
    two.turn()
    settle(house, one, 1)
    two.turn()  # two has delivered, and one has not
    good = world(house)
    delivered = set(house.board.waiting)
    assert delivered
    record = house.repository.objects.read(f"{good}:frame.json")[1]
    broken = edited(house, good, "frame.json", body)
    move(house, edited(house, broken, "frame.json", record))
    goes_on(house, one)
    judge(house.repository, one.remote, delivered)
    log = json.loads(one.stage.look().scene.read("log.json") or b"[]")
    assert any("/two/" in entry["mark"] for entry in log)


def test_a_merge_by_hand_with_the_world_as_its_second_parent(house: House) -> None:
    """I7: ``git pull`` makes such a commit; frames and deltas behind its second parent count."""
    one, two = house.enter("one"), house.enter("two")
    settle(house, one, 2)
    two.turn()
    settle(house, one, 1)
    local = edited(house, world(house), "note.json", b"{}")
    two.turn()
    settle(house, one, 1)
    two.turn()
    there = two.attendant.stage.look().sight.deltas
    ((pair, delta),) = [one for one in there.items() if one[0].worker == "two"]
    move(house, edited(house, world(house), "note.json", b"{}", local, world(house)))
    goes_on(house, one)
    log = json.loads(one.stage.look().scene.read("log.json") or b"[]")
    assert any(entry["mark"].startswith(f"{pair.frame}/two/") for entry in log)
    assert delta in house.board.taken


def test_a_merge_that_lasts_longer_than_the_lease_is_published(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I4: else the primaries would depose each other over the same deltas for ever."""
    house.open(lease=0.6, deadline=20.0)
    line = Line(house.board)
    one = Player("one", house.root / "one", house.repository, line, SystemClock())
    while one.step().scene.number < 1:
        pass
    before = house.board.refs[REFS.lease]
    renewed: list[bool] = []

    def edit_slowly(*args: Any, **more: Any) -> Edition:
        for _ in range(500):  # 10 s
            if house.board.refs[REFS.lease] != before:
                break
            threading.Event().wait(0.02)
        renewed.append(house.board.refs[REFS.lease] != before)
        return make_edition(*args, **more)

    one.play()
    monkeypatch.setattr(primary, "make_edition", edit_slowly)
    number = one.step().scene.number
    while one.step().scene.number == number:
        pass
    assert renewed[0] and one.attendant.leads
    judge(house.repository, line)


def test_what_a_killed_workers_streams_leave_is_in_nobodys_way(house: House) -> None:
    """I4: restarted within its frame, a worker gives its streams a place of their own."""
    one = house.enter("one")
    one.streams = 1
    one.start()
    settle(house, one, 1)
    places = [set(one.place.glob("frames/*/stream-1"))]

    def interrupt() -> None:
        new = set(one.place.glob("frames/*/stream-1")).difference(*places)
        places.append(new)
        if len(places) == 2:
            for place in new:
                (place / "ops.jsonl").mkdir()
            raise Crash

    one.before_ops = interrupt
    with pytest.raises(Crash):
        settle(house, one, 1)
    one.start()
    one.turn()
    assert len(places) == 3 and places[1] and places[2]
    goes_on(house, one)


class Keeper(Line):
    """A way to a host whose hook declines every push in which something is deleted."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if any(update.new is None for update in updates):
            return {
                u.ref: RefResult(PushState.REFUSED, "pre-receive hook declined") for u in updates
            }
        return super().push(updates, atomic=atomic)


def test_a_host_that_declines_a_whole_push_for_its_deletions(house: House) -> None:
    """I7: frames are published without deletions then, and each delta still counts once."""
    one = Player("one", house.root / "one", house.repository, Keeper(house.board), ManualClock())
    house.players.append(one)
    settle(house, one, 3)
    goes_on(house, one)
    assert len(house.board.waiting) >= 4 and not house.board.deleted


def test_a_stream_that_makes_a_directory_of_its_ops_costs_its_ops(house: House) -> None:
    """I8: nothing that a stream leaves ends the worker."""
    one = house.enter("one")

    def block() -> None:
        for place in one.place.glob("frames/*/stream-1"):
            (place / "ops.jsonl").mkdir(exist_ok=True)

    one.before_ops = block
    settle(house, one, 2)
    goes_on(house, one)
