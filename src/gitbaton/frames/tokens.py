"""Lease and presence: the small commits by which a primary and its workers show that they live.

A token is replaced, not added to: its commit has no parent, so that it does not grow with time,
and holds a nonce, so that no two are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.frames.names import STREAM_LIMIT
from gitbaton.git.objects import (
    FILE_MODE,
    Commit,
    Format,
    Person,
    RawObject,
    TreeEntry,
    encode_commit,
    encode_tree,
    make_object,
)

FILE = "token.json"

Role: TypeAlias = Literal["primary", "worker"]


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is here. ``frame``: the last one seen; ``at``: RFC 3339, for people only."""

    role: Role
    name: str
    machine: str
    nonce: str
    frame: int
    at: str
    # Of a worker: how many it runs side by side. It goes into everybody's slices, so it is bounded.
    streams: Annotated[int, msgspec.Meta(ge=0, le=STREAM_LIMIT)] = 0


@dataclass(frozen=True, slots=True)
class Minted:
    """A token's commit, and the objects to write for it."""

    oid: Oid
    objects: tuple[RawObject, ...]


def mint(token: Token, author: Person, format: Format, *, after: Oid | None = None) -> Minted:
    """Return the commit of ``token``; ``after``: its parent, where the host wants chains."""
    blob = make_object("blob", msgspec.json.encode(token) + b"\n", format)
    tree = make_object("tree", encode_tree([TreeEntry(FILE_MODE, FILE.encode(), blob.oid)]), format)
    subject = f"{token.role}: {token.name} at frame {token.frame}"
    parents = (after,) if after else ()
    body = encode_commit(Commit(tree.oid, parents, author, subject))
    commit = make_object("commit", body, format)
    return Minted(commit.oid, (blob, tree, commit))


def token_path(oid: Oid) -> str:
    """Return the name under which git finds the content of the token ``oid``."""
    return f"{oid}:{FILE}"


def read_token(body: bytes) -> Token:
    """Return the token in ``body``. Raises DamagedRecord."""
    try:
        return msgspec.json.decode(body, type=Token)
    except msgspec.DecodeError as error:
        raise DamagedRecord(f"no token: {error}", next="baton doctor") from error
