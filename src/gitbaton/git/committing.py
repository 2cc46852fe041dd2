"""Makes commit objects with git itself: identity, encoding and signature are its business."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from gitbaton.core.errors import GitFailed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree

_PERSON = re.compile(
    rb"^author (?P<name>.*?) ?<(?P<email>[^<>]*)> (?P<date>-?\d+ [+-]\d+)$", re.MULTILINE
)

# What git says where it has no name or address for the author (ident.c).
_NOBODY = ("tell me who you are", "auto-detect", "auto-detection", "ident name", "disallowed char")


class Made(Struct, frozen=True):
    """What a commit says of itself, as far as another is made in its place."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: Mapping[str, str]  # as environment variables for git
    message: bytes
    encoding: str | None = None  # of the message, where it is not UTF-8


def read_made(body: bytes) -> Made:
    """Return the parts of the commit object ``body``. Raises ValueError for what is none."""
    head, _, message = body.partition(b"\n\n")
    fields = [line.partition(b" ") for line in head.split(b"\n")]
    person = _PERSON.search(head)
    if person is None:
        raise ValueError("a commit without an author")
    text = {name: person[name].decode("utf-8", "surrogateescape") for name in ("name", "email")}
    return Made(
        tree=Oid(next(value.decode() for name, _, value in fields if name == b"tree")),
        parents=tuple(Oid(value.decode()) for name, _, value in fields if name == b"parent"),
        author={
            "GIT_AUTHOR_NAME": text["name"],
            "GIT_AUTHOR_EMAIL": text["email"],
            "GIT_AUTHOR_DATE": f"@{person['date'].decode()}",
        },
        message=message,
        encoding=next((value.decode() for name, _, value in fields if name == b"encoding"), None),
    )


def make_commit(
    tree: WorkingTree,
    root: Oid,
    parents: Sequence[Oid],
    message: bytes,
    *,
    sign: bool,
    author: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> Oid:
    """Return a new commit of ``root``. It is on no branch yet.

    ``author``: GIT_AUTHOR_* where it is not who runs this. ``encoding``: of the message, where it
    is not i18n.commitEncoding. Raises Refused where git does not know
    who that is, or cannot sign.
    """
    # commit-tree does not look at commit.gpgSign itself (git-commit-tree(1)).
    options = [*(["-S"] if sign else []), *(word for oid in parents for word in ("-p", oid))]
    config = [] if encoding is None else ["-c", f"i18n.commitEncoding={encoding}"]
    try:
        done = tree.git.run(*config, "commit-tree", *options, root, stdin=message, env=author)
    except GitFailed as error:
        raise _translated(error, sign=sign) from error
    return Oid(done.text)


def _translated(error: GitFailed, *, sign: bool) -> Exception:
    said = error.stderr.strip()
    if any(words in said for words in _NOBODY):
        return Refused(
            "git does not know who commits",
            code="no_identity",
            next="git config user.name NAME; git config user.email ADDRESS",
        )
    if sign:
        return Refused(
            f"the commit cannot be signed: {said}",
            code="not_signed",
            next="unlock the key, or git config commit.gpgSign false",
        )
    return error
