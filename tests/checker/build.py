"""Histories made by hand, in the documented format: what the checker is tried on.

``Remote`` writes objects and refs of a bare repository itself; ``Story`` tells what happens to
tasks there. Both do as they are told, right or wrong: wrong is what they are for.
"""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.checker.names import escape, live_path, parked_path
from tests.checker.objects import (
    FILE,
    TREE,
    commit_body,
    json_body,
    object_id,
    tree_body,
    version_objects,
)

BOARD = "refs/heads/baton"
MAIN = "refs/heads/main"
Value = dict[str, Any]


class Remote:
    """A bare repository, written without asking anybody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
        self._numbers = count(1)

    def put(self, kind: str, body: bytes) -> str:
        """Write an object and return its id."""
        oid = object_id(kind, body)
        file = self.file(oid)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body))
        return oid

    def file(self, oid: str) -> Path:
        """Return where an object is kept."""
        return self.path / "objects" / oid[:2] / oid[2:]

    def point(self, ref: str, oid: str | None) -> None:
        """Set a ref, or remove it."""
        file = self.path / ref
        if oid is None:
            os.unlink(file)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{oid}\n")

    def at(self, ref: str) -> str | None:
        """Return what a ref names."""
        file = self.path / ref
        return file.read_text().strip() if file.exists() else None

    def files(self, files: Mapping[str, str]) -> str:
        """Write the tree of ``files`` (path -> blob) and return its id."""
        entries: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, str]] = {}
        for path, blob in files.items():
            head, slash, rest = path.partition("/")
            if slash:
                below.setdefault(head, {})[rest] = blob
            else:
                entries[head] = (FILE, blob)
        entries |= {name: (TREE, self.files(inner)) for name, inner in below.items()}
        return self.put("tree", tree_body(entries))

    def commit(self, message: str, *parents: str, files: Mapping[str, str] | None = None) -> str:
        """Write a commit unlike any other and return its id."""
        number = next(self._numbers)
        blob = self.put("blob", f"{number}\n".encode())
        tree = self.files({f"file-{number}": blob} if files is None else files)
        who = ("Tester", "tester@gitbaton.invalid", f"2026-05-07T03:00:{number % 60:02}Z")
        return self.put("commit", commit_body(tree, parents, *who, message))


@dataclass(frozen=True)
class Written:
    """A version that was written."""

    oid: str
    envelope: Mapping[str, Any]

    @property
    def value(self) -> Value:
        """A copy of the record's value."""
        return dict(self.envelope["value"])


class Story:
    """What happens to the records of one remote.

    ``last``: the version at which each key stands; ``cards``: the board's, path -> blob.
    """

    def __init__(self, path: Path) -> None:
        self.remote = Remote(path)
        self.last: dict[str, Written] = {}
        self.cards: dict[str, str] = {}
        self._nonces = (f"{number:032x}" for number in count(1))
        self._seconds = count()
        self.base = self.remote.commit("the beginning")
        self.remote.point(MAIN, self.base)

    # --- records and the board

    def write(self, key: str, value: Value, subject: str, **other: Any) -> Written:
        """Write the next version of ``key`` and point its ref at it."""
        written = self.version(key, value, subject, **other)
        self.last[key] = written
        self.remote.point(_ref(key), written.oid)
        return written

    def version(
        self,
        key: str,
        value: Value,
        subject: str,
        *,
        halves: Mapping[str, bytes] | None = None,
        kept: bool = True,
        **other: Any,
    ) -> Written:
        """Write a version that no ref names yet. ``other``: fields of the envelope."""
        envelope = self.envelope(key, value, subject, **other)
        oid, objects = version_objects(envelope, halves or {})
        for kind, body in objects if kept else ():
            self.remote.put(kind, body)
        return Written(oid, envelope)

    def envelope(self, key: str, value: Value, subject: str, **other: Any) -> dict[str, Any]:
        """Return the envelope of the next version of ``key``."""
        before = self.last.get(key)
        second = next(self._seconds)
        return {
            "format": 1,
            "key": key,
            "seq": before.envelope["seq"] + 1 if before else 1,
            "transaction": next(self._nonces),
            "heartbeat": False,
            "deleted": False,
            "after": before.oid if before else None,
            "at": f"2026-05-07T03:{second // 60:02}:{second % 60:02}Z",
            "actor": "ada",
            "email": "ada@gitbaton.invalid",
            "subject": subject,
            "companions": {},
            "moves": [],
            "value": value,
            **other,
        }

    def together(self, changes: Mapping[str, Value], subject: str, **other: Any) -> None:
        """Write several records in one transaction."""
        common: dict[str, Any] = {"transaction": next(self._nonces), **other}
        alone = {k: self.envelope(k, v, subject, **common) for k, v in changes.items()}
        common["at"] = next(iter(alone.values()))["at"]
        for key, value in changes.items():
            others = {k: e for k, e in alone.items() if k != key}
            linked = {k: {"old": e["after"], "seq": e["seq"]} for k, e in others.items()}
            halves = {k: json_body({**e, "at": common["at"]}) for k, e in others.items()}
            self.write(key, value, subject, halves=halves, companions=linked, **common)

    def mark(self, name: str, subject: str = "board: refresh") -> None:
        """Mark a task as live on the board."""
        self.cards.pop(parked_path(name), None)
        self.cards[live_path(name)] = self._card(name)
        self.board(subject)

    def park(self, name: str, subject: str = "board: fold 1", *, keep: bool = True) -> None:
        """Put a task on the board and remove its ref; ``keep``: as the format demands."""
        key = f"tasks/{name}"
        self.cards.pop(live_path(name), None)
        self.cards[parked_path(name)] = self._card(name)
        ref = _ref(key)
        self.board(subject, *([self.last[key].oid] if keep and self.remote.at(ref) else ()))
        if self.remote.at(ref):
            self.remote.point(ref, None)

    def unmark(self, name: str) -> None:
        """Take a task's cards off the board."""
        self.cards.pop(live_path(name), None)
        self.cards.pop(parked_path(name), None)
        self.board("board: refresh")

    def board(self, subject: str, *keep: str, nonce: str | None = None) -> None:
        """Commit the board as it is, with more parents to ``keep``."""
        tip = self.remote.at(BOARD)
        message = f"{subject}\n\nBaton-Transaction: {nonce or next(self._nonces)}"
        readme = self.remote.put("blob", b"# Tasks\n")
        parents = ([tip] if tip else []) + list(keep)
        files = {**self.cards, "README.md": readme}
        self.remote.point(BOARD, self.remote.commit(message, *parents, files=files))

    def _card(self, name: str) -> str:
        last = self.last[f"tasks/{name}"]
        return self.remote.put("blob", json_body({"version": last.oid, "record": last.envelope}))

    # --- tasks

    def add(self, name: str, **fields: Any) -> None:
        """Add a live task."""
        value = {"id": name, "status": "pending", "epoch": 0, "claim": None, "ended": None}
        self.write(f"tasks/{name}", {**value, **fields}, f"add: {name}")
        self.mark(name, f"add: {name}")

    def add_parked(self, name: str) -> None:
        """Add a task that waits on the board: its version has no commit yet."""
        value = {"id": name, "status": "pending", "epoch": 0, "claim": None, "ended": None}
        key = f"tasks/{name}"
        self.last[key] = self.version(key, value, f"add: {name}", kept=False)
        self.park(name, f"add: {name}")

    def value(self, name: str, **changes: Any) -> Value:
        """Return a task's value with ``changes``."""
        return {**self.last[f"tasks/{name}"].value, **changes}

    def claimed(self, name: str, agent: str, **other: Any) -> Value:
        """Return a task's value as claimed by ``agent``."""
        epoch = self.last[f"tasks/{name}"].value["epoch"] + 1
        claim = {"agent": agent, "worker": "w", "machine": "m", "claimed_at": "then"}
        claim |= {"epoch": epoch, "nonce": f"{agent}-{epoch}", **other}
        return self.value(name, status="in-progress", epoch=claim["epoch"], claim=claim, ended=None)

    def claim(self, name: str, agent: str = "ada", **other: Any) -> None:
        """Claim a task."""
        value = self.claimed(name, agent)
        self.write(f"tasks/{name}", value, f"claim: {name} by {agent}", actor=agent, **other)

    def renew(self, name: str) -> None:
        """Send a heartbeat, beside the heartbeat before it."""
        last = self.last[f"tasks/{name}"]
        beside = {"after": last.envelope["after"]} if last.envelope["heartbeat"] else {}
        agent = last.value["claim"]["agent"]
        subject = f"renew: {name} by {agent}"
        more = {"heartbeat": True, "actor": agent, **beside}
        self.write(f"tasks/{name}", last.value, subject, **more)

    def ended(self, name: str, word: str, status: str, **changes: Any) -> Value:
        """Return a task's value after its claim ended by ``word``."""
        claim = self.last[f"tasks/{name}"].value["claim"]
        ended = {"word": word, "epoch": claim["epoch"], "nonce": claim["nonce"]}
        return self.value(name, status=status, claim=None, ended=ended, **changes)

    def reset(self, name: str) -> None:
        """Take a claim back."""
        value = self.ended(name, "reset", "pending")
        self.write(f"tasks/{name}", value, f"reset: {name} lease ran out", actor="reaper")

    def land(self, name: str, ref: str, commit: str, status: str = "done", **other: Any) -> None:
        """Finish a task and move the branch ``ref`` to its result."""
        branch = ref.removeprefix("refs/heads/")
        moves: Sequence[Value] = [{"ref": ref, "old": self.remote.at(ref), "new": commit}]
        agent = self.last[f"tasks/{name}"].value["claim"]["agent"]
        value = self.ended(name, "done", status, result={"branch": branch, "commit": commit})
        subject = f"{'review' if status == 'review' else 'done'}: {name} by {agent}"
        more = {"moves": moves, "actor": agent, **other}
        self.write(f"tasks/{name}", value, subject, **more)
        self.remote.point(ref, commit)

    def work(self, name: str, *parents: str) -> str:
        """Make a commit as the worker does for the present claim of a task."""
        epoch = self.last[f"tasks/{name}"].value["epoch"]
        message = f"work on {name}\n\nBaton-Task: {name}\nBaton-Epoch: {epoch}"
        return self.remote.commit(message, *(parents or (self.base,)))

    def rescue(self, name: str, epoch: int, commit: str) -> None:
        """Keep a commit that could not land."""
        self.remote.point(f"refs/baton/rescue/{escape(name)}/{epoch}-{commit}", commit)


def _ref(key: str) -> str:
    collection, _, name = key.partition("/")
    return f"refs/baton/{collection}/{escape(name)}"
