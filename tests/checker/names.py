"""Where things stand on the remote: keys, refs and board paths, read from the design."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

NOT_RECORDS = frozenset({"rescue", "frames"})
TASKS = "tasks"

_SEGMENT = re.compile(r"(?:[a-z0-9._-]|%[0-9a-f]{2})+")
_RESCUE = re.compile(r"(?P<task>[^/]+)/(?P<epoch>[0-9]+)-(?P<oid>[0-9a-f]{40}|[0-9a-f]{64})")


def escape(name: str) -> str:
    """Return ``name`` as one lowercase path segment that git and every file system accept."""
    out = "".join(
        chr(byte) if chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789._-" else f"%{byte:02x}"
        for byte in name.encode("utf-8", "surrogatepass")
    )
    out = out.replace("..", ".%2e")
    if out[:1] in (".", "-"):
        out = f"%{ord(out[0]):02x}{out[1:]}"
    if out.endswith(".lock"):
        return f"{out.removesuffix('.lock')}%2elock"
    return f"{out[:-1]}%2e" if out.endswith(".") else out


def unescape(segment: str) -> str | None:
    """Return the name that is written as ``segment``, None if none is."""
    if not _SEGMENT.fullmatch(segment):
        return None
    raw = re.sub("%(..)", lambda match: chr(int(match[1], 16)), segment).encode("latin-1")
    try:
        name = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if escape(name) == segment else None


def parked_path(name: str) -> str:
    """Return the board path of a parked record: filed under two digits of the name's SHA-256."""
    shard = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:2]
    return f"tasks/{shard}/{escape(name)}.json"


def live_path(name: str) -> str:
    """Return the board path that marks a record as live."""
    return f"live/{escape(name)}.json"


def card_name(path: str) -> tuple[str, str] | None:
    """Return ("parked" or "live", the record's name) of a board path, None if it is no card's."""
    name = unescape(path.rpartition("/")[2].removesuffix(".json"))
    if name is None or not path.endswith(".json"):
        return None
    places = {parked_path(name): "parked", live_path(name): "live"}
    return (places[path], name) if path in places else None


@dataclass(frozen=True, slots=True)
class Names:
    """The names on one remote: a ref prefix for records, the board, and the target branch."""

    namespace: str = "refs/baton/"
    board: str = "refs/heads/baton"
    target: str = "refs/heads/main"

    def key(self, ref: str) -> str | None:
        """Return the key whose live record ``ref`` is, None if it is no record's."""
        if not ref.startswith(self.namespace):
            return None
        collection, _, segment = ref.removeprefix(self.namespace).partition("/")
        name = unescape(segment)
        if collection in NOT_RECORDS or not name:
            return None
        return f"{collection}/{name}"

    def rescue(self, ref: str) -> tuple[str, int, str] | None:
        """Return (task, epoch, oid) of a rescue ref, None if its name is not one."""
        match = _RESCUE.fullmatch(ref.removeprefix(f"{self.namespace}rescue/"))
        task = unescape(match["task"]) if match else None
        return (task, int(match["epoch"]), match["oid"]) if match and task else None

    def is_code(self, ref: str) -> bool:
        """Tell whether ``ref`` is a branch of code: not the board, not a record."""
        return (
            ref.startswith("refs/heads/")
            and ref != self.board
            and not ref.startswith(self.namespace)
        )
