"""Writes files into a working tree where nobody has changed them, and nowhere else.

What is on disk is compared as git compares it (filters, line ends, modes). The new file is made
beside and renamed into place, so that nobody ever reads half of it; a new path is linked into
place, so that nothing is overwritten. An edit that is saved after the last look and before the
rename would be lost: between the two there is no call but that rename.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.indexfile import encode_index
from gitbaton.git.privateindex import hash_files
from gitbaton.git.treeview import parents
from gitbaton.git.workingtree import WorkingTree

Fate = Literal["placed", "changed", "unsafe"]

_UNREADABLE: Final = Entry(0, Oid(""))
_FAILURES: Final = 64  # runs of git that may fail before the rest is given up: each may take long


class Placed(Struct, frozen=True):
    """What became of one file.

    ``placed``: it is as wished. ``changed``: it was not as expected, and stays as it is.
    ``unsafe``: its place cannot be written, for ``reason``.
    """

    path: bytes
    fate: Fate
    reason: str = ""


class Wish(Struct, frozen=True):
    """A file that shall become ``after`` if it is ``before`` (None: not there)."""

    path: bytes
    before: Entry | None
    after: Entry | None


def place_files(tree: WorkingTree, wishes: Sequence[Wish], *, directory: Path) -> list[Placed]:
    """Bring ``wishes`` into the working tree ``tree`` and say what became of each.

    Submodules are left alone. ``directory``: for what is made on the way. A file that git cannot
    give out (a filter fails, its object is not here) is ``unsafe``, and no obstacle to the others.
    """
    wanted = [wish for wish in wishes if not _is_submodule(wish)]
    # What goes makes room: a directory may come where a file was, or the reverse.
    gone = _bring(tree, [wish for wish in wanted if wish.after is None], directory)
    return gone + _bring(tree, [wish for wish in wanted if wish.after is not None], directory)


def _bring(tree: WorkingTree, wanted: Sequence[Wish], directory: Path) -> list[Placed]:
    if not wanted:
        return []
    seen = {wish.path: _look(tree, wish.path) for wish in wanted}
    found = _hash(tree, [w for w in wanted if seen[w.path] is not None], directory)
    fit = [wish for wish in wanted if found.get(wish.path) == wish.before]
    with _given_out(tree, [wish for wish in fit if wish.after is not None], directory) as made:
        placed = {
            wish.path: _place(tree, wish, seen[wish.path], made.get(wish.path)) for wish in fit
        }
    return [
        placed.get(wish.path)
        or Placed(wish.path, "placed" if found.get(wish.path) == wish.after else "changed")
        for wish in wanted
    ]


def _is_submodule(wish: Wish) -> bool:
    return any(entry is not None and entry.is_submodule for entry in (wish.before, wish.after))


def _look(tree: WorkingTree, path: bytes) -> os.stat_result | None:
    try:
        return os.lstat(_full(tree, path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _hash(tree: WorkingTree, wishes: Sequence[Wish], directory: Path) -> dict[bytes, Entry | None]:
    """Return what is at each path now; one that git cannot read is like nothing expected."""
    known = {wish.path: wish.before for wish in wishes if wish.before is not None}
    paths = [wish.path for wish in wishes]
    try:
        return {**hash_files(tree, paths, known, directory=directory)} if paths else {}
    except Refused:
        if len(wishes) == 1:
            return {paths[0]: _UNREADABLE}
    found: dict[bytes, Entry | None] = {}
    for wish in wishes:  # one spoils it for all: ask one by one
        found.update(_hash(tree, [wish], directory))
    return found


@contextlib.contextmanager
def _given_out(
    tree: WorkingTree, wishes: Sequence[Wish], directory: Path
) -> Iterator[Mapping[bytes, bytes]]:
    """Give the places where the new files stand, as git checks them out, as far as it can."""
    scratch = directory / f"files-{os.getpid()}-{os.urandom(4).hex()}"
    scratch.mkdir(parents=True)
    try:
        entries = {wish.path: wish.after for wish in wishes if wish.after is not None}
        index = scratch / "index"
        index.write_bytes(encode_index(entries, tree.format))
        yield _give_out(tree, index, sorted(entries), scratch)
    finally:
        import shutil

        shutil.rmtree(scratch, ignore_errors=True)


def _give_out(
    tree: WorkingTree, index: Path, paths: Sequence[bytes], scratch: Path
) -> dict[bytes, bytes]:
    """Let git check out ``paths`` below ``scratch``; return where each stands.

    Git stops at the first one that it cannot give out: then each half is tried by itself.
    """
    made: dict[bytes, bytes] = {}
    groups, failures = [paths] if paths else [], 0
    while groups:
        group = groups.pop()
        top = scratch / os.urandom(4).hex()
        done = tree.git.run(
            *("checkout-index", "--force", f"--prefix={top}/", "-z", "--stdin"),
            stdin=b"".join(path + b"\0" for path in group),
            env={"GIT_INDEX_FILE": str(index)},
            check=False,
        )
        if done.status == 0:
            made.update({path: os.path.join(os.fsencode(top), path) for path in group})
            continue
        failures += 1
        if len(group) > 1 and failures < _FAILURES:
            groups += [group[: len(group) // 2], group[len(group) // 2 :]]
    return made


def _place(
    tree: WorkingTree, wish: Wish, before: os.stat_result | None, made: bytes | None
) -> Placed:
    target = _full(tree, wish.path)
    if wish.after is not None and made is None:
        return Placed(wish.path, "unsafe", "git cannot give out its content")
    try:
        for above in parents(wish.path):
            if os.path.islink(_full(tree, above)):
                return Placed(wish.path, "unsafe", "a directory above it is a symbolic link")
        if made is None or wish.after is None:
            if not _same(before, _look(tree, wish.path)):
                return Placed(wish.path, "changed")
            os.unlink(target)
            _prune(tree, wish.path)
            return Placed(wish.path, "placed")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with _beside(made, target) as ready:
            if before is not None and not stat.S_ISLNK(before.st_mode) and not wish.after.is_link:
                _keep_mode(ready, before, wish)
            if not _same(before, _look(tree, wish.path)):
                return Placed(wish.path, "changed")
            if before is None:
                os.link(ready, target, follow_symlinks=False)
            else:
                os.replace(ready, target)
    except FileExistsError:
        return Placed(wish.path, "changed")
    except OSError as error:
        return Placed(wish.path, "unsafe", error.strerror or str(error))
    return Placed(wish.path, "placed")


@contextlib.contextmanager
def _beside(made: bytes, target: bytes) -> Iterator[bytes]:
    """Give the new file on the file system of its target, under a name of its own."""
    ready = os.path.join(os.path.dirname(target), b".baton-" + os.urandom(6).hex().encode())
    try:
        os.rename(made, ready)
    except OSError:  # the git directory may be on another file system
        import shutil

        shutil.copy2(made, ready, follow_symlinks=False)
    try:
        yield ready
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(ready)


def _keep_mode(ready: bytes, before: os.stat_result, wish: Wish) -> None:
    """Let permissions that git does not store stay as they were."""
    if wish.before is not None and wish.after is not None and wish.before.mode == wish.after.mode:
        os.chmod(ready, stat.S_IMODE(before.st_mode))


def _same(one: os.stat_result | None, other: os.stat_result | None) -> bool:
    if one is None or other is None:
        return one is other
    return _identity(one) == _identity(other)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _prune(tree: WorkingTree, path: bytes) -> None:
    """Remove the directories above ``path`` that are empty now, as git does."""
    for above in reversed(list(parents(path))):
        try:
            os.rmdir(_full(tree, above))
        except OSError:
            return


def _full(tree: WorkingTree, path: bytes) -> bytes:
    return os.path.join(os.fsencode(tree.top), path)
