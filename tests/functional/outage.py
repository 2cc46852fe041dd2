"""Remotes that go away and come back, and workers that are killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.site import BareRepository


@contextmanager
def away(remote: BareRepository) -> Iterator[None]:
    """Take the remote off the net for a while."""
    hidden = remote.path.with_suffix(".away")
    remote.path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(remote.path)
