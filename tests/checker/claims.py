"""I1: one holder for each task and epoch, epochs rise by one, the table of statuses is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.records import Version

Fields = Mapping[str, Any]

# Design section 5: from each status, where a task may go; staying is allowed to all that are
# not over. From in-progress: the words by which a claim may end there.
MOVES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"pending", "in-progress", "cancelled"}),
    "in-progress": frozenset(
        {"in-progress", "done", "review", "blocked", "pending", "failed", "cancelled"}
    ),
    "review": frozenset({"review", "done", "pending", "cancelled"}),
    "blocked": frozenset({"blocked", "pending", "cancelled"}),
    "done": frozenset({"pending"}),
    "failed": frozenset({"failed", "pending", "cancelled"}),
    "cancelled": frozenset({"pending"}),
}
ENDINGS: Mapping[str, frozenset[str]] = {
    "done": frozenset({"done"}),
    "review": frozenset({"done"}),
    "blocked": frozenset({"block"}),
    "pending": frozenset({"release", "fail", "reset"}),
    "failed": frozenset({"fail", "reset"}),
    "cancelled": frozenset({"cancel"}),
}
BY_HOLDER = frozenset({"done", "block", "release", "fail"})
_HOLDER = ("agent", "worker", "machine", "epoch", "nonce", "claimed_at")


def check_claims(evidence: Evidence) -> Iterator[Finding]:
    """Find second holders, epochs that do not rise by one, and steps that the table lacks."""
    for version in evidence.versions.values():
        if version.is_task:
            for text in (*_inside(version), *_step(evidence, version)):
                yield Finding(Invariant.I1, str(version), text)
    yield from _second_holders(evidence)


def status(version: Version) -> str:
    """Return the status of a task's version."""
    return str(version.value.get("status", "pending"))


def epoch(version: Version) -> int:
    """Return how often the task had been claimed."""
    return int(version.value.get("epoch", 0))


def claim(version: Version) -> Fields | None:
    """Return the claim of a task's version."""
    found = version.value.get("claim")
    return found if isinstance(found, dict) else None


def _inside(version: Version) -> Iterator[str]:
    held = claim(version)
    if status(version) not in MOVES:
        yield f"has the unknown status {status(version)!r}"
    if (status(version) == "in-progress") != (held is not None):
        yield f"is {status(version)} with {'a' if held else 'no'} claim"
    if held is not None and held.get("epoch") != epoch(version):
        yield f"is of epoch {epoch(version)}, its claim of {held.get('epoch')}"


def _step(evidence: Evidence, version: Version) -> Iterator[str]:
    before = evidence.before(version)
    if before is None:
        if (status(version), epoch(version)) not in (("pending", 0), ("in-progress", 1)):
            yield f"begins {status(version)} in epoch {epoch(version)}"
        return
    if evidence.is_undone(before, version):
        return
    was, is_now = status(before), status(version)
    if is_now not in MOVES.get(was, frozenset()):
        yield f"goes from {was} to {is_now}"
        return
    claiming = was == "pending" and is_now == "in-progress"
    if epoch(version) != epoch(before) + claiming:
        yield f"is of epoch {epoch(version)} after epoch {epoch(before)}"
    if was == "in-progress" and is_now == "in-progress":
        yield from _kept(before, version)
    elif was == "in-progress":
        yield from _ended(before, version)


def _kept(before: Version, version: Version) -> Iterator[str]:
    old, new = claim(before) or {}, claim(version) or {}
    changed = [name for name in _HOLDER if old.get(name) != new.get(name)]
    if changed:
        yield f"changes its holder's {', '.join(changed)} while it is held"
    if version.heartbeat and version.actor != old.get("agent"):
        yield f"is renewed by {version.actor}, held by {old.get('agent')}"


def _ended(before: Version, version: Version) -> Iterator[str]:
    held, ended = claim(before) or {}, version.value.get("ended") or {}
    if (ended.get("epoch"), ended.get("nonce")) != (held.get("epoch"), held.get("nonce")):
        yield "ends a claim without naming it"
    word = ended.get("word")
    if word not in ENDINGS.get(status(version), frozenset()):
        yield f"ends its claim by {word!r} and is {status(version)}"
    announced = before.value.get("landing") is not None  # anybody may finish that for the holder
    if word in BY_HOLDER and version.actor != held.get("agent") and not announced:
        yield f"is ended by {version.actor} ({word}), held by {held.get('agent')}"


def _second_holders(evidence: Evidence) -> Iterator[Finding]:
    for key, versions in evidence.lives():
        holders: defaultdict[int, set[tuple[Any, ...]]] = defaultdict(set)
        for version in versions:
            held = claim(version) if version.is_task else None
            if held is not None:
                holders[epoch(version)].add(tuple(held.get(name) for name in _HOLDER))
        for number, found in holders.items():
            if len(found) > 1:
                names = " and ".join(sorted(str(holder[0]) for holder in found))
                yield Finding(Invariant.I1, key, f"epoch {number} is held by {names}")
