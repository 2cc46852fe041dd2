"""The words of the store: keys, versions, records, transactions and their outcomes.

All shared state is records, each under a key, each with a version. A change is a transaction: the
versions it replaces, the values it writes, and the refs it moves with them. It commits whole or
not at all. Nothing else is offered, so nothing else has to be proved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, NewType, TypeAlias

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid

Key = NewType("Key", str)
"""``collection/name``: the collection is a lowercase word, the name any text without NUL."""

Version = NewType("Version", str)
"""Opaque and unique: no version is ever given twice, not even to equal values."""

Value: TypeAlias = Mapping[str, Any]
"""A JSON object: str, int, float, bool, None, lists and objects of these."""


class Absent(Enum):
    """Expected or found: there is no record under this key."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


class Delete(Enum):
    """Written: remove the record under this key."""

    DELETE = "delete"

    def __repr__(self) -> str:
        return "DELETE"


ABSENT: Final = Absent.ABSENT
DELETE: Final = Delete.DELETE


@dataclass(frozen=True, slots=True)
class Branch:
    """A code branch: ``refs/heads/<name>`` on the remote."""

    name: str


@dataclass(frozen=True, slots=True)
class Rescue:
    """A ref that keeps work which could not land. Its name is never used again."""

    task: str
    epoch: int
    oid: Oid


Target: TypeAlias = Branch | Rescue


@dataclass(frozen=True, slots=True)
class Move:
    """Move ``target`` from ``old`` (None: it must not exist) to ``new``, by CAS.

    The commit must be in the clone's coordination repository (``git.repository``). Branches are
    never deleted through the store.
    """

    target: Target
    old: Oid | None
    new: Oid


Content: TypeAlias = tuple[Value, tuple[Move, ...]]
"""A record's value, and the refs that were moved with it."""


class Record:
    """A value and the version that must be named to replace it.

    ``provisional``: the value was completed from the other half of a transaction that a server
    left half done; the version is still the one before it. ``moves``: the refs that were moved by
    the transaction that wrote this version (engines without git: none).
    """

    __slots__ = ("_content", "_load", "provisional", "version")

    def __init__(
        self, version: Version, value: Value, provisional: bool = False, moves: Sequence[Move] = ()
    ) -> None:
        self.version = version
        self.provisional = provisional
        self._content: Content | None = (value, tuple(moves))
        self._load: Callable[[], Content] | None = None

    @classmethod
    def lazy(
        cls, version: Version, load: Callable[[], Content], *, provisional: bool = False
    ) -> Record:
        """Return a record whose value and moves ``load`` gives when they are first asked for.

        Of a long backlog few values are ever looked at. What ``load`` returns must be the
        caller's own: it may be changed.
        """
        record = cls(version, {}, provisional)
        record._content, record._load = None, load
        return record

    @property
    def value(self) -> Value:
        return self._loaded()[0]

    @property
    def moves(self) -> Sequence[Move]:
        return self._loaded()[1]

    def _loaded(self) -> Content:
        content = self._content
        if content is None:
            assert self._load is not None, "a record has its content or a way to it"
            content = self._content = self._load()
        return content

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.version, self.provisional, self._loaded()) == (
            other.version,
            other.provisional,
            other._loaded(),
        )

    __hash__ = None  # type: ignore[assignment]  # a value may change

    def __reduce__(self) -> tuple[type[Record], tuple[Version, Value, bool, tuple[Move, ...]]]:
        value, moves = self._loaded()
        return Record, (self.version, value, self.provisional, moves)

    def __repr__(self) -> str:
        value, moves = self._loaded()
        return f"Record({self.version!r}, {value!r}, {self.provisional!r}, {moves!r})"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a read found. Never half a transaction (I6).

    ``records`` has every record; it may be lazy, so iterate over it only when all are wanted, and
    look single ones up. ``live`` is the part of it that is worked on now: it stays small however
    long the backlog is (engines that keep no backlog apart: all records).
    ``damaged`` maps keys whose bytes are no record to the reason; they are not in ``records``. It
    may be lazy too: even its truth is known only when the whole backlog is read.
    ``asked`` and ``answered`` are the observer's ``Clock.elapsed()`` just before the question
    was sent and just after the reply: what the snapshot shows was true at some moment between.
    """

    records: Mapping[Key, Record]
    live: Mapping[Key, Record]
    damaged: Mapping[Key, str] = field(default_factory=dict)
    asked: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, as it stands in the audit trail."""

    name: str
    email: str = "agent@gitbaton.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One all-or-nothing change.

    Every key written must be expected and every key expected must be written: what a change
    relies on is *rewritten* by it, never merely looked at (a git server cannot always verify a
    ref that does not move). ``heartbeat`` marks a change that carries no news but "still here":
    engines may forget it once the next version is written. Raises ValueError when malformed.
    """

    expect: Mapping[Key, Version | Absent]
    write: Mapping[Key, Value | Delete]
    moves: Sequence[Move] = ()
    subject: str
    actor: Actor
    heartbeat: bool = False

    def __post_init__(self) -> None:
        if set(self.expect) != set(self.write):
            raise ValueError("a transaction must expect exactly the keys that it writes")
        if not self.write and not self.moves:
            raise ValueError("a transaction must change something")
        if "\n" in self.subject or not self.subject.strip():
            raise ValueError("the subject is one line of text")
        for key in self.write:
            split_key(key)
        if any(self.expect[k] is ABSENT and w is DELETE for k, w in self.write.items()):
            raise ValueError("what is absent cannot be deleted")


@dataclass(frozen=True, slots=True)
class Committed:
    """Done, whole. ``versions`` has the new version of every key written and not deleted."""

    versions: Mapping[Key, Version]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Not done: something expected no longer holds.

    ``found`` has what is there now for each key that differs (ABSENT: no record), and ``moved``
    the present value of each ref that differs (None: no such ref).
    """

    found: Mapping[Key, Record | Absent]
    moved: Mapping[Target, Oid | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not done: the host said no although every expectation holds.

    ``code``: ``refused`` (hook, permission, ref rule), ``no_atomic`` (it cannot move records and
    branches together), ``contention`` (others were faster for as long as we were patient),
    ``damaged`` (what is there is no record).
    """

    reason: str
    ref: str | None = None
    code: Literal["refused", "no_atomic", "contention", "damaged"] = "refused"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Sent; the answer was lost and the state could not be read back. It may come true later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Spared:
    """Surely not done, and nobody looked at what is there now.

    ``why``: ``enough`` others of the alternatives were committed or tried before it, it was seen
    to have ``moved`` on from the version that it expects, or it was tried and somebody was faster
    (``raced``).
    """

    why: Literal["enough", "moved", "raced"] = "enough"


Outcome: TypeAlias = Committed | Conflict | Rejected | Unknown
Choice: TypeAlias = Outcome | Spared


@dataclass(frozen=True, slots=True)
class Change:
    """One version in a record's history. ``value`` is None where it was deleted."""

    key: Key
    version: Version
    at: str  # RFC 3339, for people
    actor: str
    subject: str
    value: Value | None


def split_key(key: str) -> tuple[str, str]:
    """Return (collection, name), or raise InvalidInput."""
    collection, slash, name = key.partition("/")
    if not slash or not name or "\0" in name or not collection.isascii():
        raise InvalidInput("key", f"{key!r} is no key; write collection/name")
    if not collection.replace("-", "").isalnum() or collection != collection.lower():
        raise InvalidInput("key", f"{collection!r} is no collection; write a lowercase word")
    return collection, name


def make_key(collection: str, name: str) -> Key:
    """Return the key of ``name`` in ``collection``, or raise InvalidInput."""
    split_key(f"{collection}/{name}")
    return Key(f"{collection}/{name}")
