"""Brings records and board again that are here in part only (docs/design: what is here in part)."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.git.failures import RepositoryDamaged
from gitbaton.git.objects import decode_tree
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import Listing, Remote, fetch_whole
from gitbaton.store.gitengine.envelope import record_path
from gitbaton.store.gitengine.layout import Layout

_PAUSE: Final = 600.0  # seconds between two tries: what the remote lacks too stays missing


class Mender:
    """Mends the objects of one clone from its remote, once in a while."""

    def __init__(self, objects: ObjectStore, remote: Remote, layout: Layout, clock: Clock) -> None:
        self._objects, self._remote = objects, remote
        self._layout, self._clock = layout, clock
        self._tried_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it was not tried lately."""
        tried = self._tried_at
        return tried is None or self._clock.elapsed() - tried > _PAUSE

    @property
    def is_wanted(self) -> bool:
        """Whether somebody has missed something before, and it may be tried."""
        return self._objects.gap.is_noted() and self.is_ready

    def mend(self, listing: Listing) -> None:
        """Fetch all listed records and the board anew, with all that they name.

        Where the remote itself is damaged, what is there is left as it is. Raises
        RemoteUnreachable, HostRefused, BatonError.
        """
        refs = {ref: oid for ref, oid in listing.refs.items() if self._is_read(ref)}
        self._objects.drop_damaged()
        with suppress(RepositoryDamaged):
            fetch_whole(self._remote, refs)
            self._objects.gap.forget()
        self._tried_at = self._clock.elapsed()

    def _is_read(self, ref: str) -> bool:
        return ref.startswith(self._layout.namespace) or ref == self._layout.board


def is_partial(objects: ObjectStore, version: Oid) -> bool:
    """Tell whether the commit ``version`` names a record that is not here, as far as we see."""
    commit, tree = objects.find_many([version, f"{version}^{{tree}}"])
    if commit is None or commit[0] != "commit":
        return False
    if tree is None:
        return True
    named = {entry.name for entry in decode_tree(tree[1], objects.format)}
    return record_path(version).partition(":")[2].encode() in named
