"""The seam of the fast transport: one way to one server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.receive import Advertisement, Report

Compose: TypeAlias = Callable[[Advertisement | None], bytes | None]
"""From what a session shows (None: it was not looked at) to the request; None: send nothing."""


class Link(Protocol):
    """A way to one repository on one server. Thread-safe; every call ends with its deadline.

    ``shows_anyway``: a push waits for the advertisement whether it is looked at or not.
    ``is_open``: just now a push would leave at once if nobody looked.
    """

    @property
    def shows_anyway(self) -> bool: ...

    @property
    def is_open(self) -> bool: ...

    def list(self, prefixes: Sequence[str], deadline: Deadline) -> Mapping[str, Oid]:
        """Return the refs that start with one of ``prefixes``, as they are now.

        Raises Unfit, Lost.
        """
        ...

    def push(self, compose: Compose, deadline: Deadline, *, look: bool) -> Report | None:
        """Send what ``compose`` returns; return the server's report, None if nothing was sent.

        ``look``: read this session's advertisement first and show it to ``compose``. What
        ``compose`` raises is passed on, with nothing sent. Raises Unfit if surely nothing was
        done there, and Lost if that is not known.
        """
        ...

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        """Return what makes a plain git command share this connection. Raises Unfit, Lost."""
        ...

    def close(self) -> None:
        """End the connection; a later call makes a new one."""
        ...
