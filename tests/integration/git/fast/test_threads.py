"""Many threads of one worker on one transport: every call gets its own answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from gitbaton.core.ids import Oid
from gitbaton.git.fast.direct import DirectRemote
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.remote import PushState, RefUpdate
from tests.integration.git.desk import Desk
from tests.servers.site import BareRepository

THREADS, ROUNDS = 8, 3
PRIZE = "refs/baton/tasks/prize"


def test_eight_threads_share_one_transport(desk: Desk, server: BareRepository) -> None:
    """I1: of eight who move the prize from one value, one is told that it did."""
    remote = desk.remote(server)
    assert isinstance(remote, FastRemote | DirectRemote)
    commits = [[desk.commit() for _ in range(ROUNDS)] for _ in range(THREADS)]

    def play(number: int, turn: int, old: Oid | None) -> PushState:
        mine, own = commits[number][turn], f"refs/baton/tasks/t{number}-{turn}"
        assert remote.push([RefUpdate(own, None, mine)], atomic=False)[own].state is PushState.DONE
        assert remote.list([own]).refs == {own: mine}
        return remote.push([RefUpdate(PRIZE, old, mine)], atomic=False)[PRIZE].state

    old: Oid | None = None
    with ThreadPoolExecutor(THREADS) as crew:
        for turn in range(ROUNDS):
            states = list(crew.map(play, range(THREADS), [turn] * THREADS, [old] * THREADS))
            assert states.count(PushState.DONE) == 1
            assert states.count(PushState.STALE) == THREADS - 1
            winner = commits[states.index(PushState.DONE)][turn]
            assert server.refs()[PRIZE] == winner
            old = winner
    assert remote.why_plain is None
