"""Whose work a commit is: trailers in its message, and commits made again to carry them (pure).

Source: git-interpret-trailers(1), git-commit-tree(1). Author, encoding and the bytes of the message
are kept as they are: an agent's commit may be in any encoding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.git.objects import Person

_TRAILER = re.compile(rb"[A-Za-z0-9-]+: .*")


@dataclass(frozen=True, slots=True)
class Attribution:
    """The task and the claim generation that a commit was made for."""

    task: str
    epoch: int

    @property
    def trailers(self) -> tuple[bytes, bytes]:
        """The two lines that say so at the end of a commit message."""
        return f"Baton-Task: {self.task}".encode(), f"Baton-Epoch: {self.epoch}".encode()


@dataclass(frozen=True, slots=True)
class CommitText:
    """A commit as bytes: the headers that a copy keeps, and the message."""

    tree: Oid
    parents: tuple[Oid, ...]
    kept: tuple[bytes, ...]  # author and encoding
    message: bytes


def read_commit(body: bytes) -> CommitText:
    """Return the parts of the commit object ``body``."""
    head, _, message = body.partition(b"\n\n")
    lines = head.split(b"\n")
    fields = [line.partition(b" ")[::2] for line in lines]
    return CommitText(
        tree=Oid(next(value for name, value in fields if name == b"tree").decode()),
        parents=tuple(Oid(value.decode()) for name, value in fields if name == b"parent"),
        kept=tuple(b"%s %s" % f for f in fields if f[0] in (b"author", b"encoding")),
        message=message,
    )


def write_commit(text: CommitText, committer: Person) -> bytes:
    """Return the commit object that says ``text`` and was committed by ``committer``."""
    author, *encoding = sorted(text.kept)  # "author" sorts before "encoding"
    return b"\n".join(
        [
            f"tree {text.tree}".encode(),
            *(f"parent {parent}".encode() for parent in text.parents),
            author,
            b"committer " + committer.encode(),
            *encoding,
            b"",
            text.message,
        ]
    )


def has_trailers(message: bytes, attribution: Attribution) -> bool:
    """Tell whether ``message`` ends with both trailers of ``attribution``."""
    return set(attribution.trailers) <= set(_last_block(message))


def with_trailers(message: bytes, attribution: Attribution) -> bytes:
    """Return ``message`` with both trailers; unchanged if it has them."""
    if has_trailers(message, attribution):
        return message
    body = message.rstrip()
    block = _last_block(body)
    wanted = [line for line in attribution.trailers if line not in block]
    gap = b"\n" if block else b"\n\n"
    return (body or b"(no message)") + gap + b"\n".join(wanted) + b"\n"


def _last_block(message: bytes) -> Sequence[bytes]:
    """Return the lines of the trailer block; none where the last paragraph is prose."""
    subject, gap, rest = message.strip().partition(b"\n\n")
    lines = rest.rpartition(b"\n\n")[2].split(b"\n") if gap and subject else []
    return lines if lines and all(_TRAILER.fullmatch(line) for line in lines) else []
