"""The audit trail: every version that was ever written, from the commits that hold it."""

from __future__ import annotations

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.envelope import Envelope, decode_envelope, record_path
from gitbaton.store.gitengine.planner import DELETED
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.state import State
from gitbaton.store.model import Change, Key, Version
from gitbaton.store.values import copy_value

_SLICE = 500


class History:
    """Reads changes from what a look has brought here; asks the remote nothing."""

    def __init__(self, repository: CoordinationRepository, reader: Reader) -> None:
        self._repository = repository
        self._reader = reader

    def changes(self, state: State, key: Key | None, *, limit: int | None) -> list[Change]:
        """Return the changes of ``key`` (None: of all records), newest first, no heartbeats."""
        if key is None:
            return self._all(state, limit)
        held = state.held.get(key)
        found = self._chain(held.version, held.envelope, limit) if held is not None else []
        for version, tombstone in self._tombstones(state):
            if tombstone.key == key and (limit is None or len(found) < limit):
                found += self._chain(version, tombstone, limit)
        return found[:limit]

    def _tombstones(self, state: State) -> list[tuple[Oid, Envelope]]:
        """Return the last versions of records that were deleted, newest first."""
        if state.board.tip is None:
            return []
        shown = self._repository.git.run(
            "log",
            "--fixed-strings",
            f"--grep={DELETED}: ",
            f"--format=%(trailers:key={DELETED},valueonly)",
            state.board.tip,
        )
        versions = [Oid(word) for word in shown.text.split() if is_oid(word)]
        pairs = ((version, self._reader.envelope(version)) for version in versions)
        return [(version, envelope) for version, envelope in pairs if envelope is not None]

    def _chain(self, version: Oid, envelope: Envelope, limit: int | None) -> list[Change]:
        found: list[Change] = []
        current: Envelope | None = envelope
        while current is not None and (limit is None or len(found) < limit):
            if not current.heartbeat:
                found.append(_change(version, current))
            if current.after is None:
                break
            version = Oid(current.after)
            current = self._reader.envelope(version)
        return found

    def _all(self, state: State, limit: int | None) -> list[Change]:
        tips = [h.version for h in state.held.values()]
        missing = self._repository.objects.missing(tips)  # parked since birth: no commit yet
        if state.board.tip is not None:
            tips.append(state.board.tip)
        unborn = [h for h in state.held.values() if h.version in missing]
        found = [_change(h.version, h.envelope) for h in unborn]
        asked = "\n".join(tip for tip in tips if tip not in missing)
        if asked:
            listed = self._repository.git.run(
                "rev-list", "--date-order", "--stdin", stdin=asked.encode() + b"\n"
            )
            found += self._decode([Oid(line) for line in listed.text.split("\n") if line])
        if unborn:
            found.sort(key=lambda change: change.at, reverse=True)  # stable: git's order stays
        return found[:limit]

    def _decode(self, commits: list[Oid]) -> list[Change]:
        found: list[Change] = []
        for start in range(0, len(commits), _SLICE):
            part = commits[start : start + _SLICE]
            bodies = self._repository.objects.find_many([record_path(oid) for oid in part])
            for oid, body in zip(part, bodies, strict=True):
                if body is None:
                    continue  # a board commit
                try:
                    envelope = decode_envelope(None, body[1])
                except DamagedRecord:
                    continue  # shown as damaged by `read`; it is no change of ours
                if not envelope.heartbeat:
                    found.append(_change(oid, envelope))
        return found


def _change(version: Oid, envelope: Envelope) -> Change:
    return Change(
        key=Key(envelope.key),
        version=Version(version),
        at=envelope.at,
        actor=envelope.actor,
        subject=envelope.subject,
        value=None if envelope.deleted else copy_value(envelope.value),
    )
