"""Racing pushes of one ref: exactly one wins each round, on every kind of remote (I1).

Each round has two waves of eight: those who push at the same moment, and those who come when the
first wave is through but still believe in the old value. The second wave makes the mutation check
certain: pushes of one moment all carry the same advertised value, lease or not.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest import mock

from gitbaton.core.ids import Oid
from gitbaton.git import plain
from gitbaton.git.answers import UP_TO_DATE
from gitbaton.git.fast import remote as fast
from gitbaton.git.fast import session, transactions
from gitbaton.git.fast.choosing import choose_remote
from gitbaton.git.fast.direct import DirectRemote
from gitbaton.git.fast.receive import Advertisement
from gitbaton.git.fast.verdict import Choice
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import PushState, RefUpdate, Remote
from gitbaton.git.runner import Git
from tests.integration.git.desk import Desk, Transport
from tests.servers.site import BareRepository

WAVE, ROUNDS = 8, 3
RACERS = 2 * WAVE
REF = "refs/baton/tasks/prize"


@dataclass(frozen=True)
class Seat:
    """What a racer needs to reach the server from the desk's repository."""

    transport: Transport
    repository: Path
    env: Mapping[str, str]
    url: str

    @contextmanager
    def remote(self) -> Iterator[Remote]:
        """Give a transport of this process's own."""
        git = Git(self.repository.parent, self.env, (f"--git-dir={self.repository}",))
        if self.transport == "plain":
            yield plain.PlainRemote(git, self.url)
            return
        with closing(ObjectStore(git, self.repository, "sha1")) as objects:
            remote = choose_remote(git, objects, self.url)
            assert isinstance(remote, fast.FastRemote | DirectRemote)
            with closing(remote):
                yield remote
                assert remote.why_plain is None, "this was no race of fast transports"


def test_one_of_sixteen_wins_each_round(desk: Desk, server: BareRepository) -> None:
    winners = race(desk, server, forget_old_value=False)
    assert [len(sent) for sent in winners] == [1] * ROUNDS


def test_without_the_expected_value_the_race_has_many_winners(
    desk: Desk, file_remote: BareRepository
) -> None:
    """The test above can fail: here is the same race, run by a transport that forgot the CAS."""
    winners = race(desk, file_remote, forget_old_value=True)
    assert all(len(sent) > 1 for sent in winners)


def race(desk: Desk, server: BareRepository, *, forget_old_value: bool) -> list[list[Oid]]:
    """Let 16 processes push to one ref, round by round; return what each round's winners sent."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WAVE + 1)
    mine = [[desk.commit() for _ in range(ROUNDS)] for _ in range(RACERS)]
    seat = Seat(desk.transport, desk.path, {**desk.env, **server.env}, server.url)
    pipes, racers = [], []
    for commits in mine:
        ours, theirs = context.Pipe()
        args = (theirs, barrier, seat, commits, forget_old_value)
        racers.append(context.Process(target=_run, args=args))
        pipes.append(ours)
    for racer in racers:
        racer.start()
    rounds: list[list[Oid]] = []
    old: Oid | None = None
    for number in range(ROUNDS):
        won: list[Oid] = []
        for wave in (slice(0, WAVE), slice(WAVE, RACERS)):
            for pipe in pipes[wave]:
                pipe.send(old)
            barrier.wait(timeout=60)
            won += [
                commits[number]
                for commits, pipe in zip(mine[wave], pipes[wave], strict=True)
                if pipe.recv()
            ]
        rounds.append(won)
        old = Oid(server.refs()[REF])
        assert old in won
    for racer in racers:
        racer.join(timeout=60)
    assert [racer.exitcode for racer in racers] == [0] * RACERS
    return rounds


def _run(
    pipe: Connection[bool, Oid | None],
    barrier: Barrier,
    seat: Seat,
    commits: Sequence[Oid],
    forget_old_value: bool,
) -> None:
    if forget_old_value:
        _forget()
    with seat.remote() as remote:
        for commit in commits:
            old = pipe.recv()
            barrier.wait(timeout=60)
            fate = remote.push([RefUpdate(REF, old, commit)], atomic=False)[REF]
            pipe.send(fate.state is PushState.DONE and fate.reason != UP_TO_DATE)


def _forget() -> None:
    """Break the transports in this process: they take what is there for the old value."""
    mock.patch.object(plain, "_leases", _no_leases).start()
    mock.patch.object(transactions, "_transaction", _move_whatever_is_there).start()
    mock.patch.object(session, "settle", _believe).start()
    mock.patch.object(session.Session, "_compose_blind", return_value=None).start()


def _move_whatever_is_there(update: RefUpdate) -> bytes:
    return f"start\nupdate {update.ref} {update.new}\nprepare\ncommit\n".encode()


def _no_leases(updates: Sequence[RefUpdate]) -> Iterator[str]:
    yield "--force"


def _believe(updates: Sequence[RefUpdate], seen: Advertisement, *, atomic: bool) -> Choice:
    return Choice([RefUpdate(u.ref, seen.refs.get(u.ref), u.new) for u in updates], {})
