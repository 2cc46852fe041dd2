"""Refs that are made to be thrown away, and commits to put on them.

Their names can be nobody else's: 128 random bits, below ``probe/`` in the namespace of the records
or behind ``_probe-`` where a branch is meant (no task's branch starts with an underscore). Only
what has such a name is ever deleted.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.objects import Commit, Person, decode_commit, encode_commit, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote

_NAME: Final = re.compile(r"refs/.*(?:/probe/|_probe-)[0-9a-f]{32}(?:/[a-z]+|-[a-z]+)?")
# The words that keep GitHub, GitLab and others from running their pipelines for a push.
_SUBJECT: Final = "probe: what does this host allow? [skip ci]"


def is_disposable(ref: str) -> bool:
    """Tell whether ``ref`` was made to be thrown away."""
    return _NAME.fullmatch(ref) is not None


def disposable_record(namespace: str) -> str:
    """Return a fresh name in ``namespace`` (ends in a slash) that no record can have."""
    return f"{namespace}probe/{secrets.token_hex(16)}"


def disposable_branch(prefix: str) -> str:
    """Return the full name of a fresh branch that starts with ``prefix``."""
    return f"refs/heads/{prefix}_probe-{secrets.token_hex(16)}"


class Disposables:
    """The disposable refs of one run on ``remote``. Whoever has touched one must ``clean``."""

    def __init__(self, remote: Remote, objects: ObjectStore, *, author: Person) -> None:
        self.remote = remote
        self._objects = objects
        self._author = author
        self._touched: dict[str, Oid | None] = {}  # the value we believe it to have

    def commit(self, *parents: Oid, tree_of: Oid | None = None) -> Oid:
        """Make a commit like no other and return its id. Its tree: that of ``tree_of``, or empty.

        ``tree_of`` must be here.
        """
        if tree_of is None:
            tree = make_object("tree", b"", self._objects.format)
            self._objects.write([tree])
            oid = tree.oid
        else:
            oid = decode_commit(self._objects.read(tree_of)[1]).tree
        message = f"{_SUBJECT}\n\n{secrets.token_hex(16)}"
        body = encode_commit(Commit(oid, parents, self._author, message))
        made = make_object("commit", body, self._objects.format)
        self._objects.write([made])
        return made.oid

    def push(self, *updates: RefUpdate, atomic: bool = False) -> Mapping[str, RefResult]:
        """Send ``updates`` and remember what may exist now. Raises as ``Remote.push``."""
        for update in updates:
            if is_disposable(update.ref):
                self._touched.setdefault(update.ref, None)
        results = self.remote.push(updates, atomic=atomic)
        for update in updates:
            if update.ref in self._touched and results[update.ref].state is PushState.DONE:
                self._touched[update.ref] = update.new
        return results

    def see(self, *refs: str) -> Mapping[str, Oid]:
        """Return those of ``refs`` that the host shows, with their values."""
        listed = self.remote.list(refs).refs
        return {ref: listed[ref] for ref in refs if ref in listed}

    def clean(self) -> tuple[str, ...]:
        """Delete all that was made; return what could not be deleted. Raises nothing."""
        if not self._touched:
            return ()
        try:
            seen = self.see(*self._touched)
        except BatonError:
            seen = {}
        # A host may hide what it has: then what we believe is all there is to go by.
        there = {r: oid for r, b in self._touched.items() if (oid := seen.get(r, b)) is not None}
        left = remove_refs(self.remote, there)
        self._touched = {ref: there[ref] for ref in left}
        return left


def remove_refs(remote: Remote, refs: Mapping[str, Oid]) -> tuple[str, ...]:
    """Delete the disposable ones of ``refs`` (name -> present value); return what would not go."""
    left = []
    for ref in _innermost_first(ref for ref in refs if is_disposable(ref)):
        try:
            result = remote.push([RefUpdate(ref, refs[ref], None)], atomic=False)[ref]
            gone = result.state is PushState.DONE or ref not in remote.list([ref]).refs
        except BatonError:
            gone = False
        if not gone:
            left.append(ref)
    return tuple(left)


def _innermost_first(refs: Iterable[str]) -> list[str]:
    return sorted(refs, key=lambda ref: (-ref.count("/"), ref))
