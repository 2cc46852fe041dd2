"""New files beside those that they replace, and what a killed process leaves of them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from typing import Final

from gitbaton.git.footing import stand_at
from gitbaton.git.sharedindex import list_staged
from gitbaton.git.workingtree import WorkingTree

_NAME: Final = re.compile(rb"\.baton-[0-9a-f]{12}")


def name_beside() -> bytes:
    """Return a name that nothing has, for a file that is about to get its final one."""
    return b".baton-" + os.urandom(6).hex().encode()


def sweep_beside(tree: WorkingTree, paths: Iterable[bytes]) -> None:
    """Remove what a killed process left beside ``paths``. Under the lock of the working tree.

    A file that the index has by now stays: somebody has taken it in. No symbolic link is followed.
    """
    found = []
    for directory in {path.rpartition(b"/")[0] for path in paths}:
        with contextlib.suppress(OSError):  # not there, or nothing that we may look into
            names = os.listdir(os.path.join(os.fsencode(tree.top), directory))
            found += [os.path.join(directory, name) for name in names if _NAME.fullmatch(name)]
    for path in set(found).difference(list_staged(tree, found)):
        with contextlib.suppress(OSError), stand_at(tree.top, path) as place:
            place.unlink()
