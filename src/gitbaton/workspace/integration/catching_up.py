"""Brings a file that stayed behind together with what its branch has now, when its owner asks."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gitbaton.core.errors import GitFailed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, Entry
from gitbaton.git.sharedindex import read_staged
from gitbaton.git.treeview import parents
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.behind import read_behind, write_behind
from gitbaton.workspace.safecommit.naming import command, listed, shown
from gitbaton.workspace.torn import BEFORE, MINE, THEIRS, read_torn, write_torn

Fate = Literal["merged", "conflicts", "by hand", "current"]

_NAMED: Final = 8  # files in a command to copy
_ERROR: Final = 128  # merge-file: at most 127 conflicts, else it could not (git-merge-file(1))


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What became of one file.

    ``merged``: it has both sides now. ``conflicts``: likewise, with markers where both changed
    the same lines. ``by hand``: it cannot be merged (binary, a link or beyond one, removed on one
    side), and is as it was. ``current``: it was not behind.
    """

    path: bytes
    fate: Fate


def catch_up(tree: WorkingTree, merge: Sequence[bytes], mine: Sequence[bytes]) -> list[CaughtUp]:
    """Merge what HEAD has into the files at ``merge`` and say what became of each.

    Those at ``mine`` may be committed as they are from here on: their owner has looked. Under the
    lock of ``tree``. Raises Refused: for a path that names no file which stayed behind, with
    nothing changed; for a file that is saved meanwhile, which stays.
    """
    behind = read_behind(tree.state)
    _require_known(tree, merge, mine, behind)
    for path in mine:
        behind.pop(path, None)  # once, if it is named twice
    if mine:
        write_behind(tree.state, behind)
    done = []
    for path in merge:
        if path not in behind:
            done.append(CaughtUp(path, "current"))
            continue
        fate = _merge(tree, path, behind[path])
        if fate == "conflicts":
            write_torn(tree.state, read_torn(tree.state) | {path})
        if fate in ("merged", "conflicts"):
            del behind[path]
            write_behind(tree.state, behind)
        done.append(CaughtUp(path, fate))
    return done


def _require_known(
    tree: WorkingTree,
    merge: Sequence[bytes],
    mine: Sequence[bytes],
    behind: Mapping[bytes, Entry | None],
) -> None:
    """Raise Refused for what cannot be meant: a slip of the pen must not pass for a look."""
    unknown = [path for path in mine if path not in behind]
    staged = read_staged(tree, merge)
    for path in merge:
        full = os.path.join(os.fsencode(tree.top), path)
        is_file = os.path.lexists(full) and not os.path.isdir(full)
        if path not in behind and path not in staged and not is_file:
            unknown.append(path)
    if not unknown:
        return
    option = "--mine" if mine else "--merge"
    names = {path.rpartition(b"/")[2] for path in unknown}
    meant = [
        path
        for path in behind
        if path.rpartition(b"/")[2] in names or any(above in unknown for above in parents(path))
    ]
    words = " ".join(f"{option} {shown(path)}" for path in (meant or list(behind))[:_NAMED])
    raise Refused(
        f"{listed(unknown)} did not stay behind when upstream came in"
        + (f"; what did: {listed(behind)}" if behind else ", and no other file did"),
        code="not_behind",
        next=f"baton sync {words}" if behind else command(unknown),
    )


def _merge(tree: WorkingTree, path: bytes, base: Entry | None) -> Fate:
    full = os.path.join(os.fsencode(tree.top), path)
    theirs = _entry_in_head(tree, path)
    before = _look(full)
    beyond = any(os.path.islink(os.path.join(os.fsencode(tree.top), a)) for a in parents(path))
    if beyond or before is None or not _is_file(base) or not _is_file(theirs):
        return "by hand"
    with tempfile.TemporaryDirectory(prefix="merge-", dir=tree.state) as directory:
        ours = _saved(directory, "ours", Path(os.fsdecode(full)).read_bytes())
        words = [
            ours,
            _saved(directory, "base", _content(tree, path, base)),
            _saved(directory, "theirs", _content(tree, path, theirs)),
        ]
        labels = ("-L", MINE, "-L", BEFORE, "-L", THEIRS)
        done = tree.git.run("merge-file", "-p", *labels, *words, check=False)
    if done.status < 0 or done.status >= _ERROR:
        return "by hand"
    _replace(full, before, done.stdout)
    return "merged" if done.status == 0 else "conflicts"


def _is_file(entry: Entry | None) -> bool:
    return entry is not None and entry.mode in (FILE, EXECUTABLE)


def _entry_in_head(tree: WorkingTree, path: bytes) -> Entry | None:
    shown = tree.git.run(
        *("--literal-pathspecs", "ls-tree", "-z", "--full-tree", "HEAD", "--"), os.fsdecode(path)
    )
    head, tab, name = shown.stdout.rstrip(b"\0").partition(b"\t")
    if not tab or name != path:
        return None
    mode, _, oid = head.split(b" ")
    return Entry(int(mode, 8), Oid(oid.decode()))


def _content(tree: WorkingTree, path: bytes, entry: Entry | None) -> bytes:
    """Return the content of ``entry`` as it is checked out at ``path`` (filters, line ends)."""
    assert entry is not None, "asked for files only"
    done = tree.git.run("cat-file", "--filters", f"--path={os.fsdecode(path)}", entry.oid)
    return done.stdout


def _saved(directory: str, name: str, content: bytes) -> str:
    place = Path(directory, name)
    place.write_bytes(content)
    return str(place)


def _look(full: bytes) -> os.stat_result | None:
    try:
        found = os.lstat(full)
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _replace(full: bytes, before: os.stat_result, content: bytes) -> None:
    ready = os.path.join(os.path.dirname(full), b".baton-" + secrets.token_hex(6).encode())
    try:
        with open(ready, "wb") as file:
            file.write(content)
        os.chmod(ready, stat.S_IMODE(before.st_mode))
        now = _look(full)
        if now is None or (now.st_ino, now.st_mtime_ns, now.st_size) != (
            before.st_ino,
            before.st_mtime_ns,
            before.st_size,
        ):
            raise Refused(
                f"{os.fsdecode(full)} was saved meanwhile, and stays as it is",
                code="changed",
                next="the same command again",
            )
        os.replace(ready, full)
    except OSError as error:
        raise GitFailed(["git", "merge-file"], 1, f"{os.fsdecode(full)}: {error}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(ready)
