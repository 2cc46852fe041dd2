"""Renewing until a process ends, on a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import ClaimLost, RemoteUnreachable
from gitbaton.core.ids import Nonce, TaskId
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task
from gitbaton.workspace.keeping import keep_claims
from tests.unit.tasks.desk import claimed

ONE = Token(TaskId("one"), 1, Nonce("1" * 32))
TWO = Token(TaskId("two"), 1, Nonce("2" * 32))


class Remote:
    """Answers renewals as it is told, and notes when they came."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.calls: list[tuple[float, list[Token]]] = []
        self.lost: set[Token] = set()
        self.away = False

    def renew(self, tokens: Sequence[Token]) -> Mapping[Token, Task | Exception]:
        self.calls.append((self.clock.elapsed() - 1000.0, list(tokens)))
        if self.away:
            raise RemoteUnreachable("away")
        return {
            token: ClaimLost(token.task, "gone") if token in self.lost else claimed(token.task)
            for token in tokens
        }


def times(remote: Remote) -> list[float]:
    return [round(at, 3) for at, _ in remote.calls]


def test_every_third_of_the_shortest_lease_until_the_process_ends() -> None:
    clock = ManualClock()
    remote = Remote(clock)
    keep_claims(
        remote.renew, {ONE: 30.0, TWO: 90.0}, lives=lambda: clock.elapsed() < 1035, clock=clock
    )
    assert times(remote) == [10, 20, 30]
    assert all(tokens == [ONE, TWO] for _, tokens in remote.calls)


def test_a_lost_claim_is_dropped_and_the_last_one_ends_it() -> None:
    clock = ManualClock()
    remote = Remote(clock)
    remote.lost = {ONE}
    seen: list[Token] = []

    def renewed(token: Token) -> None:
        seen.append(token)
        remote.lost.add(token)

    keep_claims(
        remote.renew, {ONE: 30.0, TWO: 30.0}, lives=lambda: True, clock=clock, renewed=renewed
    )
    assert [tokens for _, tokens in remote.calls] == [[ONE, TWO], [TWO]]
    assert seen == [TWO]


def test_a_remote_that_is_away_is_asked_again_soon() -> None:
    clock = ManualClock()
    remote = Remote(clock)
    remote.away = True
    keep_claims(remote.renew, {ONE: 900.0}, lives=lambda: clock.elapsed() < 1340, clock=clock)
    assert times(remote) == [300, 315, 330]
