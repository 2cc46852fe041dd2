"""Git objects as values: blobs, trees and commits to bytes and back, and their ids (pure).

Built here, not by ``git`` processes: a record version is three small objects, and three processes
cost two hundred times what the hashing costs. Formats: gitformat-pack(5), git-mktree(1),
git-hash-object(1) and "Git Internals - Git Objects".
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from gitbaton.core.ids import Oid

Kind = Literal["blob", "tree", "commit"]
Format = Literal["sha1", "sha256"]

FILE_MODE = 0o100644
TREE_MODE = 0o040000

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^<>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})")


class RawObject(Struct, frozen=True):
    """An object that can be written: its kind, its content, and its id under ``format``."""

    kind: Kind
    body: bytes
    oid: Oid


class TreeEntry(Struct, frozen=True):
    """One line of a tree. ``name`` is bytes: git does not say what encoding paths have."""

    mode: int
    name: bytes
    oid: Oid

    @property
    def is_tree(self) -> bool:
        return self.mode == TREE_MODE


class Person(Struct, frozen=True):
    """Who made a commit and when (seconds since the epoch, UTC)."""

    name: str
    email: str
    seconds: int

    def encode(self) -> bytes:
        return f"{_safe(self.name)} <{_safe(self.email)}> {self.seconds} +0000".encode()

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class Commit(Struct, frozen=True):
    """The parts of a commit that gitbaton reads and writes."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: Person
    message: str

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


def make_object(kind: Kind, body: bytes, format: Format) -> RawObject:
    """Return the object with this content and the id git gives it."""
    digest = hashlib.new(format, b"%s %d\0" % (kind.encode(), len(body)))
    digest.update(body)
    return RawObject(kind, body, Oid(digest.hexdigest()))


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """Return a tree's content. Entries may come in any order; names must differ."""
    # Git sorts a directory as if its name ended in a slash.
    ordered = sorted(entries, key=lambda e: e.name + b"/" if e.is_tree else e.name)
    return b"".join(b"%o %s\0%s" % (e.mode, e.name, bytes.fromhex(e.oid)) for e in ordered)


def decode_tree(body: bytes, format: Format) -> list[TreeEntry]:
    """Return the entries of a tree. Raises ValueError when it is not one."""
    size = 20 if format == "sha1" else 32
    entries: list[TreeEntry] = []
    position = 0
    while position < len(body):
        space = body.index(b" ", position)
        end = body.index(b"\0", space)
        raw = body[end + 1 : end + 1 + size]
        if len(raw) != size:
            raise ValueError("a tree that ends within an entry")
        entries.append(
            TreeEntry(int(body[position:space], 8), body[space + 1 : end], Oid(raw.hex()))
        )
        position = end + 1 + size
    return entries


def encode_commit(commit: Commit) -> bytes:
    """Return a commit's content, the author standing as committer too."""
    lines = [f"tree {commit.tree}".encode()]
    lines += [f"parent {parent}".encode() for parent in commit.parents]
    who = commit.author.encode()
    lines += [
        b"author " + who,
        b"committer " + who,
        b"",
        commit.message.encode() + b"\n",
    ]
    return b"\n".join(lines)


def decode_commit(body: bytes) -> Commit:
    """Return the commit in ``body``. Raises ValueError when it is not one.

    As git reads it: tree and parents stand first, and a server checks no more than these. Of an
    author line that is none, or is missing, what can be read is taken.
    """
    head, _, message = body.partition(b"\n\n")
    word, _, rest = head.partition(b"\n")[0].partition(b" ")
    if word != b"tree":
        raise ValueError("a commit without a tree")
    tree = Oid(rest.decode("ascii"))
    parents: list[Oid] = []
    author = Person("unknown", "", 0)
    lines = iter(head.split(b"\n")[1:])
    for line in lines:
        word, _, rest = line.partition(b" ")
        if word != b"parent":
            break
        parents.append(Oid(rest.decode("ascii")))
    else:
        line = b""
    if line.startswith(b"author "):
        author = _decode_person(line[7:].decode("utf-8", "replace"))
    return Commit(tree, tuple(parents), author, message.decode("utf-8", "replace").rstrip("\n"))


def loose_bytes(item: RawObject) -> bytes:
    """Return what a loose object file holds."""
    return zlib.compress(b"%s %d\0" % (item.kind.encode(), len(item.body)) + item.body, 1)


def _decode_person(text: str) -> Person:
    match = _PERSON.fullmatch(text)
    if match is None:
        return Person(text, "", 0)
    return Person(match["name"], match["email"], int(match["seconds"]))


def _safe(text: str) -> str:
    """Drop what would end the field early in a commit header."""
    return "".join(c for c in text if c not in "<>\n\0").strip() or "unknown"
