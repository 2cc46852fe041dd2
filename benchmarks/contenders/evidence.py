"""What the remote itself says about who claimed what, and whether it fits what claimants say.

Read with the git binary alone: gitbaton is not asked about its own claims.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders import tags
from benchmarks.contenders.contender import Claim
from benchmarks.contenders.field import Field
from benchmarks.lab.redis import Redis
from benchmarks.lab.workplace import Workplace
from tests.checker import check


@dataclass(frozen=True, slots=True)
class Judgement:
    """``doubles``: claims too many. ``unconfirmed``: claims of which the remote knows nothing.

    ``findings``: broken invariants that the tests' checker sees in the remote; only for ours.
    """

    doubles: int
    unconfirmed: int
    findings: int


def judge(field: Field, told: Iterable[Claim]) -> Judgement:
    """Compare what claimants told with what stands in the remote."""
    claims = list(told)
    shown = show(field)
    findings = 0
    if field.contender in ("library", "command") and field.remote is not None:
        findings = len(check(field.remote))
    return Judgement(
        doubles=_surplus(claim.task for claim in claims) + _surplus(c.task for c in set(shown)),
        unconfirmed=len(set(claims) - set(shown)),
        findings=findings,
    )


def show(field: Field) -> list[Claim]:
    """Return every claim that the remote's history holds."""
    if field.remote is None:
        return _in_redis(field)
    return _READERS[field.contender](field.place, field.remote)


def _surplus(tasks: Iterable[str]) -> int:
    return sum(times - 1 for times in Counter(tasks).values())


def _in_records(place: Workplace, remote: Path) -> list[Claim]:
    """Read every version of every task's record that any ref reaches."""
    commits = place.git(remote, "rev-list", "--all").split()
    asked = "".join(f"{commit}:record.json\n" for commit in commits)
    answer = place.git(remote, "cat-file", "--batch", "--buffer", stdin=asked).encode()
    claims: dict[Claim, None] = {}  # renewals repeat the claim
    for blob in _contents(answer):
        value = json.loads(blob).get("value", {})
        if isinstance(value.get("claim"), dict):
            claims[Claim(value["id"], value["claim"]["nonce"])] = None
    return list(claims)


def _contents(answer: bytes) -> Iterator[bytes]:
    """Yield what `git cat-file --batch` found: ``<id> <type> <size>``, the content, a newline."""
    start = 0
    while start < len(answer):
        end = answer.index(b"\n", start)
        words = answer[start:end].split()
        start = end + 1
        if words[-1] != b"missing":
            size = int(words[-1])
            yield answer[start : start + size]
            start += size + 1


def _in_subjects(place: Workplace, remote: Path) -> list[Claim]:
    """Read the commits of the branch: each claims one task for one agent."""
    subjects = place.git(remote, "log", "--format=%s", "main").splitlines()
    words = [subject.split() for subject in subjects if subject.startswith("claim: ")]
    return [Claim(task, agent) for _, task, _, agent in words]


def _in_tags(place: Workplace, remote: Path) -> list[Claim]:
    listed = place.git(remote, "for-each-ref", "--format=%(refname) %(subject)", tags.PREFIX)
    lines = (line.removeprefix(tags.PREFIX).split(" ", 1) for line in listed.splitlines())
    return [Claim(task, proof) for task, proof in lines]


def _in_redis(field: Field) -> list[Claim]:
    """Ask the server; only where it can be reached from here, as it can on the local link."""
    assert field.way.redis is not None, "no Redis server was started"
    redis = Redis(*field.way.redis)
    moved = redis("LRANGE", f"{field.name}:claimed", "0", "-1")
    redis.close()
    assert isinstance(moved, list)
    return [Claim(task.decode(), field.name) for task in moved if isinstance(task, bytes)]


_READERS = {
    "library": _in_records,
    "command": _in_records,
    "tasks.json": _in_subjects,
    "tasks.json+": _in_subjects,
    "tags": _in_tags,
}
