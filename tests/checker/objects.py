"""Record versions as git objects, to the byte: the id of a version from what its envelope says.

A record that was parked when it was added has no commit yet; that its version is what its content
gives is all that vouches for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.checker.names import escape

FILE, TREE = "100644", "40000"


def object_id(kind: str, body: bytes, algorithm: str = "sha1") -> str:
    """Return the id that git gives to an object."""
    return hashlib.new(algorithm, f"{kind} {len(body)}\0".encode() + body).hexdigest()


def tree_body(entries: Mapping[str, tuple[str, str]]) -> bytes:
    """Return the content of a tree. ``entries``: name -> (mode, object id)."""
    ordered = sorted(
        entries.items(), key=lambda item: item[0] + ("/" if item[1][0] == TREE else "")
    )
    return b"".join(
        f"{mode} {name}\0".encode() + bytes.fromhex(oid) for name, (mode, oid) in ordered
    )


def commit_body(
    tree: str, parents: tuple[str, ...], author: str, email: str, at: str, message: str
) -> bytes:
    """Return the content of a commit whose author committed it. ``at``: RFC 3339."""
    seconds = int(datetime.fromisoformat(at).timestamp())
    name = "".join(c for c in author if c not in "<>\n\0").strip() or "unknown"
    mail = "".join(c for c in email if c not in "<>\n\0").strip() or "unknown"
    who = f"{name} <{mail}> {seconds} +0000"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {who}", f"committer {who}", "", message, ""]
    return "\n".join(lines).encode()


def json_body(content: object) -> bytes:
    """Return JSON as it stands in records and on the board."""
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def version_objects(
    envelope: Mapping[str, Any], halves: Mapping[str, bytes], algorithm: str = "sha1"
) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a version's id and its objects (kind, content), the commit last.

    ``halves``: the ``record.json`` of the transaction's other members, by key, where it has few.
    """
    objects: list[tuple[str, bytes]] = []

    def keep(kind: str, body: bytes) -> str:
        objects.append((kind, body))
        return object_id(kind, body, algorithm)

    entries = {"record.json": (FILE, keep("blob", json_body(envelope)))}
    if halves:
        members = {escape(key): (FILE, keep("blob", body)) for key, body in halves.items()}
        entries["with"] = (TREE, keep("tree", tree_body(members)))
    tree = keep("tree", tree_body(entries))
    after = (envelope["after"],) if envelope["after"] else ()
    who = (envelope["actor"], envelope["email"])
    oid = keep("commit", commit_body(tree, after, *who, envelope["at"], envelope["subject"]))
    return oid, objects
