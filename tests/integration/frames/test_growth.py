"""Clones without the past, and a branch that people move: nobody is accused for what is not here.

Nor is what was made and could not be sent lost to what a clone forgets (I3, I7).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gitbaton.app import App
from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid, new_nonce
from gitbaton.frames import stage as stages
from gitbaton.frames.delivery import pack_delta
from gitbaton.frames.delta import StreamRun
from gitbaton.frames.journal import UNDELIVERED, Journal, Undelivered
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import Person
from gitbaton.git.remote import PushState, RefUpdate
from gitbaton.git.shallow import forget_ends
from gitbaton.theatre import Theatre
from tests.integration.frames.test_past import LAST, REFS, remote
from tests.integration.frames.test_theatre import clone
from tests.servers.site import BareRepository

__all__ = ["remote"]


def commit_by_hand(remote: BareRepository, count: int) -> None:
    """Put ``count`` commits on the world that publish no frame."""
    tip = remote.git("rev-parse", "world")
    words = b"commit refs/heads/world\ncommitter Ada <ada@example.org> 1800000000 +0000\n"
    made = [words + b"data 5\nhand\n" for _ in range(count)]
    made[0] += b"from %s\n" % tip.encode()
    remote.git("fast-import", "--quiet", stdin=b"\n".join([*made, b""]))


@pytest.mark.parametrize("count", [2, 20])
def test_a_branch_that_people_moved_on_was_not_set_back(
    remote: BareRepository, tmp_path: Path, count: int
) -> None:
    """Their commits have no number of their own, and the way back to what was seen is cut off."""
    with clone(tmp_path, remote, "a") as app:
        assert Theatre(app).standing().scene.number == LAST
        commit_by_hand(remote, count)
        scene = Theatre(app).standing().scene
        assert (scene.commit, scene.number) == (remote.git("rev-parse", "world"), LAST)
        assert app.repository.objects.is_shallow == (count == 2), "no more than it takes"
        assert Theatre(app).standing().scene.number == LAST


def test_a_branch_that_was_set_back_is_found_out_without_the_past(
    remote: BareRepository, tmp_path: Path
) -> None:
    """I7: whatever must be fetched to be sure of it."""
    tip = remote.git("rev-parse", "world")
    with clone(tmp_path, remote, "a") as app:
        Theatre(app).standing()
        remote.git("update-ref", "refs/heads/world", f"{tip}~3")
        commit_by_hand(remote, 2)
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                Theatre(app).standing()
            assert refused.value.code == "world_rewound"
        remote.git("update-ref", "refs/heads/world", tip)
        assert Theatre(app).standing().scene.number == LAST


@pytest.mark.parametrize("noted", [True, False])
def test_what_is_noted_can_be_sent_whatever_was_forgotten(
    remote: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    """A delta of long ago rests on a world that nothing else in the clone leads to any more."""
    monkeypatch.setattr(stages, "forget_ends", partial(forget_ends, above=0))
    tip = remote.git("rev-parse", "world")
    remote.git("update-ref", "refs/heads/world", f"{tip}~100")
    with clone(tmp_path, remote, "a") as app:
        theatre = Theatre(app)
        world = theatre.stage.look().scene.commit
        pair, delta = make_delta(app, theatre)
        if noted:
            place = theatre.directory / "one" / UNDELIVERED
            Journal(place).write(Undelivered(pair, delta))
        for back in (1, 0):  # what was seen last is never forgotten
            remote.git("update-ref", "refs/heads/world", f"{tip}~{back}")
            stage = Theatre(app).stage
            assert stage.look().scene.number == LAST - back
        ends = (app.repository.path / "shallow").read_text().split()
        assert (world in ends) == noted
        if noted:
            ref = REFS.delta(pair)
            sent = stage.remote.push([RefUpdate(ref, None, delta)], atomic=False)
            assert sent[ref].state is PushState.DONE
            assert Theatre(app).stage.look().sight.deltas == {pair: delta}


def make_delta(app: App, theatre: Theatre) -> tuple[Pair, Oid]:
    """Write a delta of the present frame into the clone, and nowhere else."""
    scene = theatre.stage.look().scene
    pair = Pair(scene.number, "one")
    commit, made = pack_delta(
        pair,
        scene.commit,
        {"1": StreamRun(("ann",))},
        {"1": b'{"op": "incr", "doc": "counts.json", "path": "/late"}\n'},
        Person("Ada", "ada@example.org", 1),
        new_nonce(),
        app.repository.objects.format,
    )
    app.repository.objects.write(made)
    return pair, commit
