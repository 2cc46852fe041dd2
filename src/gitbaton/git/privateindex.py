"""Files of the working tree as git would store them, by way of an index of their own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gitbaton.core.errors import GitFailed, Refused
from gitbaton.git.entries import Entry
from gitbaton.git.indexfile import decode_index, encode_index
from gitbaton.git.workingtree import WorkingTree

# An index of a few entries gains nothing by these, and we could not read some of them; and a hook
# (post-index-change) would take it for everybody's.
SIMPLE: Final = tuple(
    word
    for setting in (
        *("core.splitIndex=false", "core.fsmonitor=false", "core.untrackedCache=false"),
        *("index.sparse=false", "core.hooksPath=/dev/null"),
    )
    for word in ("-c", setting)
)


def hash_files(
    tree: WorkingTree, paths: Sequence[bytes], known: Mapping[bytes, Entry], *, directory: Path
) -> dict[bytes, Entry]:
    """Return what git makes of the files at ``paths``, with their content in the object store.

    Git itself decides on modes, line ends and filters, as gitattributes(5) and the configuration
    say; ``known`` are the entries that it shall know of (modes where the file system has none, line
    ends as they are). Nothing else is looked at. ``directory``: where the private index is made.
    Raises Refused for what cannot be read or may not be stored.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # A new name each time: a git that outlived a killed process may still write to another.
    index = directory / f"{os.getpid()}-{os.urandom(4).hex()}"
    index.write_bytes(encode_index(known, tree.format))
    try:
        tree.git.run(
            *SIMPLE,
            *("update-index", "-z", "--add", "--replace", "--stdin"),
            stdin=b"".join(path + b"\0" for path in paths),
            env={"GIT_INDEX_FILE": str(index)},
        )
        entries = decode_index(index.read_bytes(), tree.format)
    except GitFailed as error:
        said = error.stderr.strip().removeprefix("error: ").replace("\nfatal: ", "; ")
        raise Refused(
            f"git cannot take the files: {said}", code="unreadable", next="git status"
        ) from error
    finally:
        for leftover in (index, Path(f"{index}.lock")):
            with contextlib.suppress(OSError):
                leftover.unlink()
    return {path: entries[path] for path in paths if path in entries}


def sweep(directory: Path) -> None:
    """Remove what killed processes left in ``directory``. Under the lock of the working tree."""
    with contextlib.suppress(FileNotFoundError):
        for leftover in list(directory.iterdir()):
            if leftover.is_dir():
                import shutil  # a commit rarely finds any

                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
