"""Who takes part, under which name, and how a claimant of each is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from benchmarks.contenders.contender import Contender
from benchmarks.lab.links import Kind

Name: TypeAlias = Literal["library", "command", "tasks.json", "tasks.json+", "tags", "redis"]

TITLES: Final[Mapping[Name, str]] = {
    "library": "gitbaton, in process",
    "command": "gitbaton, `baton claim`",
    "tasks.json": "(a) tasks.json on a branch",
    "tasks.json+": "(a), ssh kept open by the user",
    "tags": "(b) a tag a claim",
    "redis": "(c) Redis list",
}
QUICK: Final[frozenset[Name]] = frozenset({"library", "redis"})
"""Those whose claims are short enough to be repeated often on any link."""


def takes_part(name: Name, kind: Kind, *, redis: bool) -> bool:
    """Tell whether a contender claims over such a link."""
    if name == "redis":
        return redis
    return kind == "ssh" or name != "tasks.json+"


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one claimant needs, in a form that travels to another process."""

    contender: Name
    agent: str
    clone: str = ""
    batch: int = 1  # claims wanted at once; only of the library
    redis: tuple[str, int] | None = None
    key: str = ""  # where its lists are on the Redis server


def take_seat(seat: Seat, env: Mapping[str, str]) -> Contender:
    """Return the claimant, ready to claim."""
    clone = Path(seat.clone)
    match seat.contender:
        case "library":
            from benchmarks.contenders.ours import Library  # not what the others have to import

            return Library(clone, env, seat.agent, seat.batch)
        case "command":
            from benchmarks.contenders.ours import Command

            return Command(clone, env, seat.agent)
        case "tasks.json":
            from benchmarks.contenders.tasks_json import TasksJson

            return TasksJson(clone, env, seat.agent)
        case "tasks.json+":
            from benchmarks.contenders.tasks_json import TasksJson, keep_ssh_open

            return TasksJson(clone, keep_ssh_open(env, clone), seat.agent)
        case "tags":
            from benchmarks.contenders.tags import Tags

            return Tags(clone, env, seat.agent)
        case "redis":
            from benchmarks.contenders.redis_list import RedisList

            assert seat.redis is not None, "no Redis server was given"
            return RedisList(*seat.redis, seat.key)
