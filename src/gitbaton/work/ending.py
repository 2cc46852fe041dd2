"""How a claim ends that did not land: failed, given back, left to a person, or lost long ago."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GateClosed,
    HostRefused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.tasks.claims import ended_by
from gitbaton.tasks.readiness import Readiness
from gitbaton.work.checks import Interrupted
from gitbaton.work.events import Kind
from gitbaton.work.post import Post
from gitbaton.work.program import CannotWork


class AttemptFailed(BatonError):
    """This attempt at the task did not succeed; the reason goes into the next one's prompt."""

    code = "attempt_failed"


class GivenBack(BatonError):
    """The task cannot go on now, through no fault of the attempt; it is ready again some day."""

    code = "given_back"


class NeedsPerson(BatonError):
    """Only a person can clear the way: the task is blocked with the reason as the question."""

    code = "needs_person"


Word: TypeAlias = Literal["fail", "release", "block"]

_TOLD: Final[dict[str, Kind]] = {
    "fail": "failed",
    "release": "released",
    "block": "blocked",
    "done": "landed",
}
_WORDS: Final[tuple[tuple[type[BatonError], Word], ...]] = (
    (RemoteUnreachable, "release"),
    (GivenBack, "release"),
    (CannotWork, "release"),
    (NeedsPerson, "block"),
    (GateClosed, "block"),
    (HostRefused, "block"),
)


def end_claim(post: Post, error: BatonError, published: set[Oid]) -> bool | None:
    """End the claim because of ``error``; return whether it is finished or in a person's hands.

    What the agent itself published is added to ``published``. While the remote is away the end
    waits in the outbox. Raises nothing that a remote can cause: None for a claim that could not
    be ended, which is told.
    """
    if isinstance(error, ClaimLost):
        return _lost(post, error, published)
    queue = post.crew.queue
    word: Word = next((word for kind, word in _WORDS if isinstance(error, kind)), "fail")
    send = {"fail": queue.fail, "release": queue.release, "block": queue.block}[word]
    try:
        with post.crew.hearts.hold(post.token):
            send(post.token, error.message)
    except ClaimLost as lost:
        return _lost(post, lost, published)
    except RemoteUnreachable as away:
        body = {"token": str(post.token), "reason": error.message}
        post.crew.outbox.put(word, post.task.id, body)
        post.say("queued", f"{word} waits for the remote: {away.message}")
        return word == "block"
    except BatonError as other:
        post.say("notice", f"the claim could not be ended as yet: {other.message}")
        post.say(_TOLD[word], first_line(error))
        return None
    log = str(post.log) if word == "fail" else None
    post.say(_TOLD[word], first_line(error), log=log)
    return word == "block"


def interrupted_claim(post: Post, stop: Interrupted, published: set[Oid]) -> bool | None:
    """End the claim of an agent that was stopped, because it was lost or by the worker."""
    lost = post.crew.hearts.lost(post.token)
    error = GivenBack(stop.reason) if lost is None else ClaimLost(post.task.id, lost)
    return end_claim(post, error, published)


def refused_landing(post: Post, error: GateClosed | HostRefused, commit: Oid | None) -> BatonError:
    """Return what a refusal to land means: a need that is to be done again first, or a person.

    A task whose needs are not met any more waits for them by itself; nobody has to be asked.
    """
    if isinstance(error, GateClosed):
        queue = post.crew.queue
        try:
            view = queue.view()
            readiness = Readiness(view, queue.gatekeeper)
            broken = {o.kind for o in readiness.broken(view.find(post.task.id), commit)}
        except BatonError:
            broken = set()
        if "need" in broken and "gate" not in broken:
            return GivenBack(error.message, next=error.next)
    return NeedsPerson(f"it could not land: {error.message}", next=error.next)


def first_line(error: BatonError) -> str:
    """Return the message of ``error`` without the log that may follow it."""
    return error.message.partition("\n")[0]


def _lost(post: Post, error: ClaimLost, published: set[Oid]) -> bool:
    """Tell whether the agent itself ended the claim well, or somebody took it away."""
    try:
        task = post.crew.queue.get(post.task.id)
    except BatonError:
        post.say("lost", error.message)
        return False
    word = task.ended.word if task.ended is not None else ""
    if word not in _TOLD or not ended_by(task, post.token, word):
        post.say("lost", error.message)
        return False
    result = task.result
    if word == "done" and result is not None and result.branch and result.commit:
        published.add(Oid(result.commit))
    post.say(_TOLD[word], f"by the agent itself: {task.reason or word}")
    return word in ("done", "block")
