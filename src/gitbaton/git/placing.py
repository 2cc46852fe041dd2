"""Writes files into a working tree where nobody has changed them, and nowhere else.

What is on disk is compared as git compares it (filters, line ends, modes). The new file is made
beside and renamed into place, so that nobody ever reads half of it; a new path is linked into
place, so that nothing is overwritten. An edit that is saved after the last look and before the
rename would be lost: between the two there is no call but that rename.

The paths may come from a stranger's commit. Those that git would not check out are not written
(git/safepath.py), and no symbolic link is followed on the way to one (git/footing.py).
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
from gitbaton.git.entries import FILE, Entry
from gitbaton.git.footing import Footing, stand_at
from gitbaton.git.indexfile import encode_index
from gitbaton.git.leftovers import name_beside
from gitbaton.git.privateindex import hash_files
from gitbaton.git.safepath import find_unsafe, is_safe
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
    give out (a filter fails, its object is not here) is ``unsafe``, and no obstacle to the others;
    nor is one whose path git would refuse.
    """
    wanted = [wish for wish in wishes if not _is_submodule(wish)]
    barred = find_barred(wanted)
    refused = [Placed(path, "unsafe", "git does not check out such a path") for path in barred]
    wanted = [wish for wish in wanted if wish.path not in barred]
    # What goes makes room: a directory may come where a file was, or the reverse.
    gone = _bring(tree, [wish for wish in wanted if wish.after is None], directory)
    come = _bring(tree, [wish for wish in wanted if wish.after is not None], directory)
    return refused + gone + come


def find_barred(wishes: Sequence[Wish]) -> frozenset[bytes]:
    """Return the paths of ``wishes`` that no file may be made or removed at (pure)."""
    come = find_unsafe((wish.path, wish.after.mode) for wish in wishes if wish.after is not None)
    gone = (wish.path for wish in wishes if wish.after is None)
    return come | {path for path in gone if not is_safe(path, FILE)}


def _bring(tree: WorkingTree, wanted: Sequence[Wish], directory: Path) -> list[Placed]:
    try:
        return _compare_and_place(tree, wanted, directory) if wanted else []
    except OSError as error:  # no space to prepare them in: none was touched
        reason = error.strerror or str(error)
        return [Placed(wish.path, "unsafe", reason) for wish in wanted]


def _compare_and_place(tree: WorkingTree, wanted: Sequence[Wish], directory: Path) -> list[Placed]:
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
    if wish.after is not None and made is None:
        return Placed(wish.path, "unsafe", "git cannot give out its content")
    try:
        with stand_at(tree.top, wish.path, make=made is not None) as target:
            if made is not None:
                with _beside(made, target) as ready:
                    _keep_mode(ready, before, wish)
                    done = _put(ready, target, before)
            elif done := _same(before, target.look()):
                target.unlink()
    except (FileExistsError, FileNotFoundError):
        return Placed(wish.path, "changed")
    except OSError as error:
        return Placed(wish.path, "unsafe", error.strerror or str(error))
    if done and made is None:
        _prune(tree, wish.path)
    return Placed(wish.path, "placed" if done else "changed")


@contextlib.contextmanager
def _beside(made: bytes, target: Footing) -> Iterator[Footing]:
    """Give the new file in the directory of its target, under a name of its own."""
    ready = target.beside(name_beside())
    try:
        ready.take(made)
        yield ready
    finally:
        with contextlib.suppress(FileNotFoundError):
            ready.unlink()


def _put(ready: Footing, target: Footing, before: os.stat_result | None) -> bool:
    """Give ``ready`` its final name, if ``before`` is there still; return whether."""
    if not _same(before, target.look()):
        return False
    if before is None:
        ready.link(target)
    else:
        ready.replace(target)
    return True


def _keep_mode(ready: Footing, before: os.stat_result | None, wish: Wish) -> None:
    """Let permissions that git does not store stay as they were."""
    if before is None or stat.S_ISLNK(before.st_mode) or wish.before is None or wish.after is None:
        return
    if wish.before.mode == wish.after.mode and not wish.after.is_link:
        ready.chmod(stat.S_IMODE(before.st_mode))


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
            with stand_at(tree.top, above) as place:
                os.rmdir(place.name, dir_fd=place.directory)
        except OSError:
            return


def _full(tree: WorkingTree, path: bytes) -> bytes:
    return os.path.join(os.fsencode(tree.top), path)
