"""The seam under the store: list, fetch and push on one remote, and nothing else.

A push has three outcomes for each ref: done, refused, unknown. The types say which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias, runtime_checkable

from gitbaton.core.ids import Oid


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """Move ``ref`` (full name) from ``old`` to ``new``. None: there is no such ref.

    ``old`` is always a condition: None means "must not exist", never "whatever it is".
    """

    ref: str
    old: Oid | None
    new: Oid | None

    def __post_init__(self) -> None:
        if self.old is None and self.new is None:
            # The command `0 0 ref` deletes the ref on a stock server. It must never be sent.
            raise ValueError(f"an update of {self.ref} from nothing to nothing")
        if self.old == self.new:
            raise ValueError(f"an update of {self.ref} that does not move it")


class PushState(Enum):
    """What became of one update."""

    DONE = "done"
    STALE = "stale"  # the ref did not have the old value, or lost a race for its lock
    REFUSED = "refused"  # a hook, a permission, a rule of the host
    UNKNOWN = "unknown"  # sent, and the answer was lost
    UNSENT = "unsent"  # never left this machine, or fell with another update of an atomic push


@dataclass(frozen=True, slots=True)
class RefResult:
    """The fate of one update, with the server's words for it.

    ``answered``: it is UNKNOWN although the server has spoken, so nothing of it comes later.
    """

    state: PushState
    reason: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The refs under the prefixes asked for. Not a snapshot across refs: it may be torn."""

    refs: Mapping[str, Oid]


Choose: TypeAlias = Callable[[Mapping[str, Oid] | None], Sequence[RefUpdate]]
"""From the refs that a push session shows (None: it does not show them) to what shall be pushed."""


class Remote(Protocol):
    """One git remote. Thread-safe; each call is bounded in time."""

    @property
    def url(self) -> str:
        """The address as people know it, without credentials."""
        ...

    def list(self, prefixes: Sequence[str]) -> Listing:
        """Return all refs whose full name starts with one of ``prefixes``.

        Raises RemoteUnreachable, or HostRefused when credentials are missing or not accepted.
        """
        ...

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """Bring the objects of ``refs`` (ref -> the value that was listed) with their history.

        They arrive in the coordination repository, which gets no refs by it. ``have``: commits
        already there that are worth naming in the negotiation. A ref that has moved or gone
        meanwhile is not an error: look for the object afterwards. Raises as ``list``.
        """
        ...

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        """Send the updates, each under its own old value; return the fate of each ref.

        ``atomic``: all or nothing, and never sent to a server that does not list the capability
        (then every ref is UNSENT and ``supports_atomic`` is False). Raises RemoteUnreachable only
        if surely nothing was sent.
        """
        ...

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        """Let ``choose`` decide what to push; send that, each update on its own (not atomic).

        Where reading the refs costs no round trip more, ``choose`` gets them as this very session
        shows them. It may be called again, with newer refs if somebody was faster, with None if
        that session could not be used; the last call counts. Nothing chosen: nothing is sent.
        Raises as ``push``.
        """
        ...

    def close(self) -> None:
        """End the connections that are open; a later call makes new ones."""
        ...

    @property
    def supports_atomic(self) -> bool | None:
        """Whether the host takes atomic pushes; None while that is not known."""
        ...


@runtime_checkable
class Thorough(Protocol):
    """A remote from which can be fetched as if little or nothing was here."""

    def fetch_whole(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """As ``fetch``, with all that they name, whatever the clone seems to have (git/mending.py).

        Only our own refs and ``have`` count as here; without ``have``, nothing does: for what is
        here in part only, or cannot be read. Raises as ``list``, BatonError.
        """
        ...


def fetch_whole(remote: Remote, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
    """Fetch as ``Thorough`` says where ``remote`` can, else as it can. Raises as that."""
    if isinstance(remote, Thorough):
        remote.fetch_whole(refs, have=have)
    else:
        remote.fetch(refs, have=have)
