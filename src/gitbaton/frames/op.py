"""Ops: what a stream wants changed in the world, one JSON object a line.

Every op names a document (``doc``), a place in it (``path``, a JSON Pointer, RFC 6901) and what is
to happen there. Documents and places that are missing are created. The types are the format: they
are decoded strictly, and ``op.schema.json`` is made from them (``frames/schema.py``).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET, Meta, Struct

from gitbaton.frames.names import DOCUMENT_LIMIT, DOCUMENT_PATTERN
from gitbaton.frames.pointer import POINTER_LIMIT, POINTER_PATTERN

NAME_LIMIT: Final = 200  # characters of an agent's name and of a dedup key

Number: TypeAlias = int | float
Document: TypeAlias = Annotated[
    str,
    Meta(
        description="File name of the document, such as `posts.json` or `town/square.json`.",
        extra_json_schema={"pattern": DOCUMENT_PATTERN, "maxLength": DOCUMENT_LIMIT},
    ),
]
Pointer: TypeAlias = Annotated[
    str,
    Meta(
        description="JSON Pointer (RFC 6901) of the place; empty for the whole document.",
        extra_json_schema={"pattern": POINTER_PATTERN, "maxLength": POINTER_LIMIT},
    ),
]
Label: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT)]


class OpId(NamedTuple):
    """The name of an op, never used twice: line ``sequence`` (from 1) of a stream's ops file."""

    frame: int
    worker: str
    stream: str
    sequence: int


class _Place(Struct, frozen=True, gc=False):
    """Where an op acts."""

    doc: Document
    path: Pointer


class _Op(
    _Place,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="op",
    tag=str.lower,
):
    """What every op may say besides."""

    base: Annotated[
        Any, Meta(description="The value that the stream saw at the place and relied on.")
    ] = UNSET
    new: Annotated[
        bool, Meta(description="The stream saw nothing at the place. Not together with `base`.")
    ] = False
    agent: Annotated[Label | None, Meta(description="Who wants it; for people.")] = None


class Set(_Op, frozen=True, gc=False):
    """`set`: put `value` at the place, whatever is there."""

    value: Any


class Delete(_Op, frozen=True, gc=False):
    """`delete`: take away what is at the place; with an empty `path` the whole document."""


class Merge(_Op, frozen=True, gc=False):
    """`merge`: change the members that `value` names, as in a JSON Merge Patch (RFC 7396).

    Objects are merged member by member at any depth, null deletes a member, anything else is set.
    """

    value: dict[str, Any]


class Append(_Op, frozen=True, gc=False):
    """`append`: put `value` at the end of the array at the place."""

    value: Any
    key: Annotated[
        Label | None,
        Meta(
            description="Dedup key: of the elements with one key the first is kept. An object "
            "bears it as its `id`, or as the member that the rule of the place names."
        ),
    ] = None


class Add(_Op, frozen=True, gc=False):
    """`add`: put `value` into the set (an array without equal elements) at the place."""

    value: Any


class Remove(_Op, frozen=True, gc=False):
    """`remove`: take the elements equal to `value` out of the array at the place."""

    value: Any


class Incr(_Op, frozen=True, gc=False):
    """`incr`: add `value` (may be negative) to the number at the place; missing counts as 0."""

    value: Number = 1


class Max(_Op, frozen=True, gc=False):
    """`max`: raise what is at the place to `value` if that is greater (numbers, or texts)."""

    value: int | float | str


class Min(_Op, frozen=True, gc=False):
    """`min`: lower what is at the place to `value` if that is less (numbers, or texts)."""

    value: int | float | str


Op: TypeAlias = Set | Delete | Merge | Append | Add | Remove | Incr | Max | Min
