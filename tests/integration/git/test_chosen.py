"""Choosing what to push in the session that pushes it, on every transport and kind of remote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.core.ids import Oid
from gitbaton.git.remote import PushState, RefUpdate
from tests.integration.git.desk import Desk
from tests.servers.site import BareRepository

X, Y = "refs/baton/tasks/x", "refs/baton/tasks/y"
DONE, STALE = PushState.DONE, PushState.STALE


def shows(desk: Desk, server: BareRepository) -> bool:
    """Tell whether the session's refs are to be shown."""
    return desk.transport == "fast" and server.site.kind != "http"


def test_the_choice_is_made_on_what_the_session_shows(desk: Desk, server: BareRepository) -> None:
    there, remote = desk.commit(), desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)
    seen: list[Mapping[str, Oid] | None] = []
    mine: list[Oid] = []

    def choose(refs: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
        seen.append(None if refs is None else {X: refs[X]})
        mine.append(desk.commit(there))  # its objects are written only now
        return [RefUpdate(X, there, mine[0]), RefUpdate(Y, None, mine[0])]

    fates = remote.push_chosen(choose)
    assert {ref: fate.state for ref, fate in fates.items()} == {X: DONE, Y: DONE}
    assert seen == [{X: there} if shows(desk, server) else None]
    assert server.refs() == {X: mine[0], Y: mine[0]}


def test_who_moves_a_ref_between_the_look_and_the_push_wins(
    desk: Desk, server: BareRepository
) -> None:
    """I1: the session is no lock; the old value is."""
    there, theirs, mine = desk.commit(), desk.commit(), desk.commit()
    remote, rival = desk.remote(server), desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)

    def choose(_: object) -> Sequence[RefUpdate]:
        rival.push([RefUpdate(X, there, theirs)], atomic=False)
        return [RefUpdate(X, there, mine)]  # whatever it sees

    assert remote.push_chosen(choose)[X].state is STALE
    assert server.refs() == {X: theirs}


def test_a_choice_against_the_sight_is_stale(desk: Desk, server: BareRepository) -> None:
    there, other, mine = desk.commit(), desk.commit(), desk.commit()
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)
    server.hook("pre-receive", f'touch "{server.path}/asked"; exit 0')
    fates = remote.push_chosen(lambda _: [RefUpdate(X, other, mine)])
    assert fates[X].state is STALE
    # Not even sent, where it could be seen. (Plain git looks for itself.)
    assert (server.path / "asked").exists() == (
        desk.transport == "fast" and not shows(desk, server)
    )
    assert server.refs() == {X: there}


def test_nothing_chosen_is_nothing_pushed(desk: Desk, server: BareRepository) -> None:
    there, remote = desk.commit(), desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)
    assert remote.push_chosen(lambda _: []) == {}
    assert server.refs() == {X: there}
    assert remote.push([RefUpdate(Y, None, there)], atomic=False)[Y].state is DONE
