"""Where records stand among the refs: keys <-> ref names and board paths (pure).

A key is ``collection/name``; each becomes exactly one lowercase path segment, so no key can be a
directory of another, no file system folds two into one, and no name can leave its place (I8).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid, branch_name
from gitbaton.store.model import Branch, Key, Rescue, Target, make_key, split_key

RESERVED = frozenset({"rescue", "frames", "probe"})  # refs below these are not records

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-")
_AS_IT_IS = re.compile(r"[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_ESCAPE = re.compile(r"%([0-9a-f]{2})")
_SEGMENT = re.compile(r"(?:[a-z0-9._-]|%[0-9a-f]{2})+")


def escape(name: str) -> str:
    """Return ``name`` as one ref path segment. ``unescape`` is its inverse."""
    if _AS_IT_IS.fullmatch(name) and not name.endswith(".lock"):
        return name  # nearly all are: a backlog has many
    raw = name.encode("utf-8", "surrogatepass")
    out = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    out = out.replace("..", ".%2e")
    if out.startswith((".", "-")):
        out = f"%{ord(out[0]):02x}{out[1:]}"
    if out.endswith(".lock"):
        out = f"{out[:-5]}%2elock"
    elif out.endswith("."):
        out = f"{out[:-1]}%2e"
    return out


def unescape(segment: str) -> str | None:
    """Return the name that ``escape`` turned into ``segment``; None if it never did."""
    if not _SEGMENT.fullmatch(segment):
        return None
    raw = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), segment).encode("latin-1")
    try:
        name = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if escape(name) == segment else None


@dataclass(frozen=True, slots=True)
class Layout:
    """The names on one remote. ``namespace`` is a ref prefix that ends in a slash."""

    namespace: str = "refs/baton/"
    board: str = "refs/heads/baton"

    def __post_init__(self) -> None:
        if not self.namespace.startswith("refs/") or not self.namespace.endswith("/"):
            raise InvalidInput(
                "store.namespace",
                f"{self.namespace!r} must begin with refs/ and end with /",
            )
        branch_name(self.namespace.removeprefix("refs/").rstrip("/"), field="store.namespace")
        if not self.board.startswith("refs/heads/"):
            raise InvalidInput("store.board", f"{self.board!r} must be a branch (refs/heads/…)")
        branch_name(self.board.removeprefix("refs/heads/"), field="store.board")
        if self.namespace.startswith(f"{self.board}/") or self.board.startswith(self.namespace):
            raise InvalidInput(
                "store.board",
                f"{self.board!r} and the namespace {self.namespace!r} collide",
            )

    @property
    def archive(self) -> str:
        """The branch that old rescues are folded into."""
        return f"{self.board}-rescue"

    def ref(self, key: Key) -> str:
        """Return the ref of a live record."""
        collection, name = split_key(key)
        if collection in RESERVED:
            raise InvalidInput("key", f"the collection {collection!r} is not for records")
        return f"{self.namespace}{collection}/{escape(name)}"

    def key(self, ref: str) -> Key | None:
        """Return the key whose live record ``ref`` is, or None when it is no record's."""
        if not ref.startswith(self.namespace):
            return None
        collection, slash, segment = ref[len(self.namespace) :].partition("/")
        name = unescape(segment)
        if not slash or not name or collection in RESERVED:
            return None
        try:
            return make_key(collection, name)
        except InvalidInput:
            return None

    def is_reserved(self, ref: str) -> bool:
        """Tell whether ``ref`` is of a kind that stands beside the records (rescues, probes …)."""
        return ref.removeprefix(self.namespace).partition("/")[0] in RESERVED

    def target(self, target: Target) -> str:
        """Return the full ref of a branch or a rescue."""
        match target:
            case Branch(name):
                ref = f"refs/heads/{branch_name(name)}"
                if ref in (self.board, self.archive) or ref.startswith(self.namespace):
                    raise InvalidInput("branch", f"{name!r} belongs to the records of gitbaton")
                return ref
            case Rescue(task, epoch, oid):
                return f"{self.namespace}rescue/{escape(task)}/{epoch}-{oid}"

    def parse_target(self, ref: str) -> Target | None:
        """Return the branch or rescue whose full ref this is, None when it is neither."""
        rescued = self.rescue(ref)
        if rescued is not None:
            return Rescue(rescued[0], rescued[1], Oid(rescued[2]))
        name = ref.removeprefix("refs/heads/")
        return Branch(name) if name != ref else None

    def rescue(self, ref: str) -> tuple[str, int, str] | None:
        """Return (task, epoch, oid) of a rescue ref, or None when it is none."""
        prefix = f"{self.namespace}rescue/"
        parts = ref.removeprefix(prefix).split("/") if ref.startswith(prefix) else []
        if len(parts) != 2:
            return None
        epoch, dash, oid = parts[1].partition("-")
        task = unescape(parts[0])
        if task is None or not dash or not epoch.isdigit():
            return None
        return task, int(epoch), oid


def parked_path(name: str) -> str:
    """Return the board file of a parked record: 256 shards keep every tree small."""
    return f"tasks/{shard(name)}/{escape(name)}.json"


def live_path(name: str) -> str:
    """Return the board file that marks a record as live and shows its last known state."""
    return f"live/{escape(name)}.json"


def shard(name: str) -> str:
    """Return the two hex digits under which ``name`` is filed."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:2]
