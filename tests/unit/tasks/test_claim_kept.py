"""Claims that the remote has granted are handed out, and fewer than wanted only after a look."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import BatonError, GitFailed, RemoteUnreachable
from gitbaton.store.model import Outcome, Snapshot
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.drafts import Draft
from tests.unit.tasks.desk import ANN, Desk, Meddler, who


class Cut(Meddler):
    """Is away for every look once ``away`` is set."""

    away = False
    why: BatonError = RemoteUnreachable("away")

    def read(self, prefix: str = "") -> Snapshot:
        if self.away:
            raise self.why
        return super().read(prefix)


def needing(desk: Desk, *ids: str) -> None:
    desk.add("first")
    [token] = [claim.token for claim in desk.other.claim(who("eve"))]
    desk.other.done(token)
    for id in ids:
        desk.add(id, needs=["first"])


def ids_of(claims: list[Claimed]) -> list[str]:
    return sorted(claim.task.id for claim in claims)


def test_a_claim_is_kept_when_the_look_after_it_fails(desk: Desk) -> None:
    """I1: the remote has said yes, and nobody else would ever have the token."""
    needing(desk, "second")
    store = Cut(desk.memory)
    queue = desk.join(store)

    def cut() -> None:
        store.away = True

    store.after_commit = cut
    [won] = queue.claim(who())
    assert won.task.id == "second"
    assert desk.other.check(won.token).version == won.version


def test_a_look_that_fails_for_another_reason_is_no_consent(desk: Desk) -> None:
    """I9: what could not be read may be the very gate or need that the claim rests on."""
    needing(desk, "second")
    store = Cut(desk.memory)
    queue = desk.join(store)

    def break_down() -> None:
        store.away = True
        store.why = GitFailed(["git", "cat-file"], 128, "broken")

    store.after_commit = break_down
    with pytest.raises(GitFailed):
        queue.claim(who())


def test_what_holds_is_kept_when_the_rest_cannot_be_withdrawn(desk: Desk) -> None:
    needing(desk, "a", "b")
    desk.add("other")
    desk.other.done(desk.other.claim(who("eve"), ids=["other"])[0].token)
    desk.other.edit("b", {"needs": ["other"]}, actor=ANN)
    store = Cut(desk.memory)
    queue = desk.join(store)

    def meddle() -> None:
        desk.other.retry("other", force=True, actor=ANN)
        store.after_read = cut

    def cut() -> None:
        store.away = True
        store.instead = away

    def away(_: object) -> list[Outcome]:
        raise RemoteUnreachable("away")

    store.after_commit = meddle
    assert ids_of(queue.claim(who(), ids=["a", "b"], count=2)) == ["a"]


def test_fewer_than_wanted_are_given_after_a_look(desk: Desk) -> None:
    for id in ("a", "b"):
        desk.add(id)
    queue = desk.queue
    queue.view()
    desk.store.reads = 0
    seen = desk.store.recall()
    desk.store.recall = lambda prefix="": seen  # type: ignore[method-assign]
    desk.other.add([Draft(title="late", id="c")], actor=ANN)
    assert ids_of(queue.claim(who(), count=3)) == ["a", "b", "c"]
    assert desk.store.reads == 1


def test_as_many_as_wanted_cost_no_look(desk: Desk) -> None:
    for id in ("a", "b"):
        desk.add(id)
    desk.queue.view()
    desk.store.reads = 0
    assert ids_of(desk.queue.claim(who(), count=2)) == ["a", "b"]
    assert desk.store.reads == 0


@pytest.fixture
def desk() -> Desk:
    return Desk()
