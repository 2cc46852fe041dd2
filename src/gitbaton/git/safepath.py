"""Which paths of a tree may become files: those that git itself would check out (pure).

Anybody who can push can make a tree that names ``.git/hooks/post-commit``. Git refuses such a path
when it enters an index (read-cache.c, verify_path), and so does whatever writes files without git.
The names are those of every file system, wherever this runs: HFS+ overlooks some characters, NTFS
has short names and streams (git-config(1), core.protectHFS and core.protectNTFS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gitbaton.git.entries import SYMLINK
from gitbaton.git.treeview import parents

# Every name below begins like this, or what HFS+ does not see comes first. Few others do.
_SUSPECT: Final = re.compile(rb"(?:^|/)(?:[/.gG~\xe2\xef]|$)|\\")
_BARRED: Final = frozenset({b"", b".", b".."})  # an empty one: the path is absolute, or ends early
# utf8.c, next_hfs_char: what HFS+ does not see in a name.
_UNSEEN: Final = dict.fromkeys(
    (*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)
)
_NOT_TEXT: Final = re.compile("[\ufffd-\uffff]")  # git takes what is no UTF-8 for the end
# path.c, is_ntfs_dotgit; a stream may follow a colon.
_NTFS_GIT: Final = re.compile(rb"(?:\.git|git~1)[. ]*(?::.*)?", re.IGNORECASE | re.DOTALL)
# path.c, is_ntfs_dot_generic: the long name, the four short ones, and those made of a hash.
_HASHED: Final = b"|".join(b"gi7eba"[:kept] + b"~[1-9][0-9]{%d}" % (6 - kept) for kept in range(7))
_NTFS_MODULES: Final = re.compile(
    rb"(?:\.gitmodules|gitmod~[1-4]|" + _HASHED + rb")[. ]*(?::.*)?", re.IGNORECASE | re.DOTALL
)


def is_safe(path: bytes, mode: int) -> bool:
    """Tell whether a file of ``mode`` may be at ``path``, which counts from the top.

    Not inside a git directory under any of its names, not outside of the tree; ``.gitmodules`` is
    no symbolic link. Whatever git refuses is refused; beyond that, a backslash always parts names.
    """
    if _SUSPECT.search(path) is None:
        return True
    link = mode == SYMLINK
    return all(_is_fit(name, link) for name in path.split(b"/")) and not (
        b"\\" in path and any(_is_git(name, link) for name in re.split(rb"[\\/]", path))
    )


def find_unsafe(files: Iterable[tuple[bytes, int]]) -> frozenset[bytes]:
    """Return those of ``files`` (path, mode) that may not be there together.

    One below another may not: a damaged tree can name a link and a directory alike, and what is in
    the directory would be written through the link.
    """
    modes = dict(files)
    taken = modes.keys() & _directories(modes)
    return frozenset(
        path
        for path, mode in modes.items()
        if not is_safe(path, mode) or (taken and not taken.isdisjoint(parents(path)))
    )


def _directories(paths: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for path in paths:
        above = path.rpartition(b"/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition(b"/")[0]
    return found


def _is_fit(name: bytes, link: bool) -> bool:
    return name not in _BARRED and not _is_git(name, link)


def _is_git(name: bytes, link: bool) -> bool:
    seen = _NOT_TEXT.split(name.decode("utf-8", "replace").translate(_UNSEEN), maxsplit=1)[0]
    if seen.lower() == ".git" or _NTFS_GIT.fullmatch(name):
        return True
    return link and (seen.lower() == ".gitmodules" or _NTFS_MODULES.fullmatch(name) is not None)
