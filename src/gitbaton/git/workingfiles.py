"""What git says of files in a working tree: ignored ones, and those that filters change."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.core.errors import GitFailed
from gitbaton.git.workingtree import WorkingTree


def find_ignored(tree: WorkingTree, paths: Sequence[bytes]) -> list[bytes]:
    """Return those of ``paths`` that gitignore(5) leaves out, tracked or not."""
    if not paths:
        return []
    # Behind "./" nothing is taken for a pattern or its magic: see gitglossary(7), pathspec.
    asked = tree.git.run(
        *("check-ignore", "--no-index", "-z", "--stdin"),
        stdin=_lines([b"./" + path for path in paths]),
        check=False,
    )
    if asked.status not in (0, 1):  # 1: none is
        raise GitFailed(["git", "check-ignore"], asked.status, asked.stderr)
    return [path[2:] for path in asked.stdout.split(b"\0") if path]


def find_filtered(tree: WorkingTree, paths: Sequence[bytes]) -> frozenset[bytes]:
    """Return those of ``paths`` that have a filter in gitattributes(5), such as LFS."""
    if not paths:
        return frozenset()
    asked = tree.git.run("check-attr", "-z", "--stdin", "filter", stdin=_lines(paths))
    fields = asked.stdout.split(b"\0")
    found = zip(fields[0::3], fields[2::3], strict=False)  # path, attribute, value
    return frozenset(path for path, value in found if value not in (b"unspecified", b"unset"))


def _lines(paths: Sequence[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)
