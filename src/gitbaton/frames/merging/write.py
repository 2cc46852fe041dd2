"""Writes: what ops want at single places, and what of one stream's own work still counts (pure).

A stream's ops are one program: what it sets again later is superseded, and what it does below a
place that it has itself set belongs to that set (its ``tail``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import UNSET

from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.op import Add, Append, Delete, Incr, Max, Merge, Min, Op, Remove, Set
from gitbaton.frames.pointer import Steps, read_pointer

Act: TypeAlias = Literal["set", "delete", "object", "append", "add", "remove", "incr", "max", "min"]
"""What a write does; ``object``: it makes sure that an object is there."""

_ACTS: Final[dict[type[Op], Act]] = {
    Set: "set",
    Delete: "delete",
    Append: "append",
    Add: "add",
    Remove: "remove",
    Incr: "incr",
    Max: "max",
    Min: "min",
}


class Author:
    """A stream of a worker in a frame. ``rank``: its turn; ``late``: its frame is already over."""

    __slots__ = ("frame", "late", "rank", "stream", "worker")

    def __init__(self, frame: int, worker: str, stream: str, rank: int, *, late: bool) -> None:
        self.frame, self.worker, self.stream = frame, worker, stream
        self.rank, self.late = rank, late


class Share:
    """How many writes of one op have not yet failed, and whether one of them was overruled."""

    __slots__ = ("left", "overruled")

    def __init__(self, left: int) -> None:
        self.left = left
        self.overruled = False


class Write:
    """What an op, or one leaf of a ``merge``, wants at one place.

    ``assigns``: it replaces what is there. ``base``: what the stream saw there (MISSING: nothing;
    UNSET: it does not say). ``share``: the op's other writes too (None: it has one write).
    ``inner``: it is in a tail, so it was based on its stream's own work.
    """

    __slots__ = (
        "act",
        "assigns",
        "author",
        "base",
        "inner",
        "op",
        "sequence",
        "share",
        "steps",
        "tail",
        "value",
    )

    def __init__(
        self,
        author: Author,
        sequence: int,
        op: Op,
        act: Act,
        steps: Steps,
        value: Any,
        base: Any,
        share: Share | None = None,
    ) -> None:
        self.author = author
        self.sequence = sequence
        self.op = op
        self.act = act
        self.assigns = act == "set" or act == "delete"
        self.steps = steps
        self.value = value
        self.base = base
        self.inner = False
        self.share = share
        self.tail: list[Write] = _NONE

    @property
    def turn(self) -> tuple[int, int]:
        """Its place in the deterministic order."""
        return self.author.rank, self.sequence


_NONE: Final[list[Write]] = []  # shared by all writes without a tail; never changed


def make_writes(author: Author, ops: Iterable[tuple[int, Op]]) -> list[Write]:
    """Return the writes of ``ops`` (with their sequence numbers), all of one document."""
    writes: list[Write] = []
    for sequence, op in ops:
        steps = read_pointer(op.path)
        assert not isinstance(steps, str), "the codec lets no other pointer in"
        base = MISSING if op.new else op.base
        if type(op) is Merge:
            writes += _leaves(author, sequence, op, steps, base)
        else:
            value = getattr(op, "value", MISSING)
            writes.append(Write(author, sequence, op, _ACTS[type(op)], steps, value, base))
    return writes


def reduce_writes(writes: Sequence[Write]) -> tuple[list[Write], list[Write]]:
    """Return (the writes of one stream that count, those that it has superseded itself).

    A write below one of the stream's own sets is in that one's ``tail``. Bases become those of
    the stream's first write at a place: what a stream saw after that was its own work.
    """
    is_based = assigns = False
    for write in writes:
        is_based = is_based or write.base is not UNSET
        assigns = assigns or write.assigns
    if is_based:
        _chain_bases(writes)
    if not assigns:
        return list(writes), []
    later: set[Steps] = set()
    kept: list[Write] = []
    superseded: list[Write] = []
    for write in reversed(writes):
        if nearest(write.steps, later) is not None:
            superseded.append(write)
            continue
        if write.assigns:
            later.add(write.steps)
        kept.append(write)
    kept.reverse()
    return hang_tails(kept), superseded


def hang_tails(writes: Iterable[Write]) -> list[Write]:
    """Return one stream's ``writes`` with those below its own sets hung on these."""
    tops: list[Write] = []
    sets: dict[Steps, Write] = {}
    for write in writes:
        above = nearest(write.steps, sets)
        if above is not None:
            top = sets[above]
            if top.tail is _NONE:
                top.tail = []
            top.tail.append(write)
            write.inner, write.base = True, UNSET
            continue
        tops.append(write)
        if write.assigns:
            sets[write.steps] = write
    return tops


def with_tails(writes: Iterable[Write]) -> list[Write]:
    """Return ``writes`` and all that hangs on them."""
    return [one for write in writes for one in (write, *write.tail)]


def nearest(steps: Steps, places: Container[Steps]) -> Steps | None:
    """Return the lowest of ``places`` that is at or above ``steps``."""
    for depth in range(len(steps), -1, -1):
        if steps[:depth] in places:
            return steps[:depth]
    return None


def _chain_bases(writes: Iterable[Write]) -> None:
    first: dict[Steps, Any] = {}
    above: set[Steps] = set()  # places with an earlier write of the stream below them
    for write in writes:
        if write.steps in first:
            write.base = first[write.steps]
        else:
            if write.steps in above:
                write.base = UNSET
            first[write.steps] = write.base
        above.update(write.steps[:depth] for depth in range(len(write.steps)))


def _leaves(author: Author, sequence: int, op: Merge, steps: Steps, base: Any) -> list[Write]:
    """Return a write for each member that a merge patch sets or deletes, at any depth."""
    share = Share(0)
    leaves: list[Write] = []
    todo: list[tuple[Steps, Any, Any]] = [(steps, op.value, base)]
    while todo:
        place, value, seen = todo.pop()
        if type(value) is dict and value:
            todo += [
                ((*place, name), member, _member(seen, name)) for name, member in value.items()
            ]
            if all(member is None for member in value.values()):
                leaves.append(Write(author, sequence, op, "object", place, value, UNSET, share))
            continue
        act: Act = "delete" if value is None else "object" if type(value) is dict else "set"
        wanted = MISSING if value is None else value
        leaves.append(Write(author, sequence, op, act, place, wanted, seen, share))
    share.left = len(leaves)
    leaves.sort(key=lambda leaf: leaf.steps)
    return leaves


def _member(seen: Any, name: str) -> Any:
    """Return what a stream that saw ``seen`` saw in its member ``name``."""
    if seen is UNSET:
        return UNSET
    return seen.get(name, MISSING) if type(seen) is dict else MISSING
