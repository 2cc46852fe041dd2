"""The record of a worker, ``workers/<name>``: created once, rewritten, never deleted (pure).

What others wrote is data (I8): it is checked whole before it is believed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import quote

import msgspec

from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name, task_id
from gitbaton.plans.named import decode_named, encode_named
from gitbaton.plans.toolchain.tools import tool_name
from gitbaton.store.model import Key, Value, make_key
from gitbaton.tasks.text import is_line
from gitbaton.tasks.validation import capability

COLLECTION: Final = "workers"
FORMAT: Final = 1
REASON_LIMIT: Final = 1000  # characters

_MOST: Final = 300  # entries of a list
_HUGE: Final = 2**53
_SHORTEST: Final = 0.1  # seconds
_LONGEST: Final = 122 * 86400.0
_NONCE = re.compile(r"[0-9a-f]{32}")
_HOST = re.compile(r"(?:[A-Za-z0-9_][^\s@:\x00-\x20/]{0,99}@)?[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")


class State(StrEnum):
    """What a worker last said of itself. Whether it is still there is another question."""

    ABSENT = "absent"  # a machine that somebody recorded; nobody has served on it yet
    SERVING = "serving"
    REFUSING = "refusing"  # it is up and takes nothing: see its reason
    DRAINING = "draining"  # finishes what it has, takes nothing more
    GONE = "gone"  # it said good-bye


UP: Final = frozenset({State.SERVING, State.REFUSING, State.DRAINING})
"""The states in which a worker beats."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all parts of the record: immutable, nothing unexpected."""


class Address(Part, frozen=True, kw_only=True):
    """How a worker is reached over ssh: the host, its clone there, what ``baton`` is called."""

    host: str
    path: str
    port: int | None = None
    program: str = "baton"

    @property
    def text(self) -> str:
        """It as people write it, and as git and ``inbox send`` read it."""
        if self.port is None:
            return f"{self.host}:{self.path}"
        return f"ssh://{self.host}:{self.port}{quote(self.path)}"


class WorkerRecord(Part, frozen=True, kw_only=True):
    """One worker, as it was at its last beat. Times are RFC 3339 and for people (I5).

    ``session``: 128 random bits of the run that serves under this name. ``beat`` counts; there
    are ``interval`` seconds between two. ``load``: the last minute's, for each processor.
    """

    name: str
    machine: str
    session: str | None = None
    state: State = State.ABSENT
    reason: str | None = None
    capabilities: tuple[str, ...] = ()
    toolchain: dict[str, str] = msgspec.field(default_factory=dict)
    slots: int = 1
    busy: tuple[str, ...] = ()
    load: float | None = None
    interval: float = 300.0
    beat: int = 0
    address: Address | None = None
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    started_at: str | None = None
    beat_at: str | None = None

    @property
    def key(self) -> Key:
        """The key of this worker's record."""
        return worker_key(self.name)

    @property
    def free(self) -> int:
        """How many more tasks it could work on."""
        return max(self.slots - len(self.busy), 0)


def worker_key(name: str) -> Key:
    """Return the record key of the worker with this name."""
    return make_key(COLLECTION, name)


def encode_worker(worker: WorkerRecord) -> Value:
    """Return the value kept in the store. ``decode_worker`` is its inverse."""
    return encode_named(worker, format=FORMAT)


def decode_worker(key: str, value: Value) -> WorkerRecord:
    """Return the worker that ``encode_worker`` made ``value`` of.

    Raises DamagedRecord, for whatever a broken or hostile client wrote.
    """
    return decode_named(
        key, value, WorkerRecord, check_worker, format=FORMAT, name=lambda record: record.name
    )


def check_worker(worker: WorkerRecord) -> None:
    """Raise InvalidInput naming the first field whose content is not allowed."""
    agent_name(worker.name, field="name")
    agent_name(worker.machine, field="machine")
    if worker.session is not None and not _NONCE.fullmatch(worker.session):
        raise InvalidInput("session", "that is no nonce")
    if worker.state in UP and worker.session is None:
        raise InvalidInput("session", f"a worker that is {worker.state} has one")
    _number("beat", worker.beat, 0, _HUGE)
    _number("slots", worker.slots, 1, 256)
    _number("interval", worker.interval, _SHORTEST, _LONGEST)
    if worker.load is not None:
        _number("load", worker.load, 0, 1e6)
    _line("reason", worker.reason or "", REASON_LIMIT)
    _each("capabilities", worker.capabilities, capability)
    _each("busy", worker.busy, lambda task: task_id(task, field="busy"))
    for field in ("toolchain", "versions"):
        table: dict[str, str] = getattr(worker, field)
        _each(field, tuple(table), tool_name)
        for tool, version in table.items():
            _line(f"{field}.{tool}", version, 100)
    if worker.address is not None:
        check_address(worker.address)
    for field in ("started_at", "beat_at"):
        moment = getattr(worker, field)
        if moment is not None:
            _moment(field, moment)


def check_address(address: Address) -> None:
    """Raise InvalidInput unless ssh and a shell will take these words for what they are (I8)."""
    host_name(address.host)
    if address.port is not None:
        _number("address.port", address.port, 1, 65_535)
    for field in ("path", "program"):
        word = getattr(address, field)
        if not word or word.startswith("-") or len(word) > 1000 or not is_line(word):
            raise InvalidInput(f"address.{field}", f"{word!r:.80} is no {field}")


def host_name(text: str, *, field: str = "host") -> str:
    """Return ``text`` as a place that ssh goes to: a host, ``user@host`` or an alias (I8)."""
    if not _HOST.fullmatch(text):
        raise InvalidInput(
            field, f"{text!r:.80} is no host for ssh; write HOST, USER@HOST or a name of ssh_config"
        )
    return text


def _each(field: str, items: Sequence[str], check: Callable[[str], object]) -> None:
    if len(items) > _MOST:
        raise InvalidInput(field, f"{len(items)} are too many; at most {_MOST}")
    for item in items:
        check(item)


def _line(field: str, words: str, limit: int) -> None:
    if len(words) > limit or not is_line(words):
        raise InvalidInput(field, f"write one line of at most {limit} characters")


def _number(field: str, number: float, least: float, most: float) -> None:
    if not math.isfinite(number) or not least <= number <= most:
        raise InvalidInput(field, f"{number} is not between {least} and {most}")


def _moment(field: str, moment: str) -> None:
    try:
        parse_rfc3339(moment)
    except ValueError as error:
        raise InvalidInput(field, f"{moment!r:.60} is no time (RFC 3339)") from error
