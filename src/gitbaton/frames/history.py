"""The frames so far: commits of the world branch, found by number."""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.frames.frame import Frame


@dataclass(frozen=True, slots=True)
class Page:
    """One frame in history: its commit, when and by whom it was published, and its record."""

    commit: Oid
    at: str  # RFC 3339, for people
    author: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that differs between two frames. None: there is none."""

    name: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Replay:
    """A merge that was made again. ``differences``: files that came out otherwise; none: proved."""

    frame: int
    deltas: int
    ops: int
    differences: tuple[str, ...]


class History:
    """What the world branch remembers. Asks the remote for what is not here."""

    def log(self, *, limit: int | None = None) -> list[Page]:
        """Return the frames, newest first. Raises Refused where there is no world."""
        raise NotImplementedError

    def at(self, number: int | None) -> Page:
        """Return frame ``number`` (None: the current one). Raises Refused (``unknown_frame``)."""
        raise NotImplementedError

    def documents(self, page: Page) -> list[str]:
        """Return the names of the documents in a frame, in order."""
        raise NotImplementedError

    def read(self, page: Page, name: str) -> bytes | None:
        """Return a document as it is in a frame, None where there is none."""
        raise NotImplementedError

    def diff(self, before: Page, after: Page) -> list[DocumentChange]:
        """Return the documents that differ between two frames, by name."""
        raise NotImplementedError

    def replay(self, page: Page) -> Replay:
        """Merge the deltas of a frame again upon the frame before, and compare byte by byte."""
        raise NotImplementedError
