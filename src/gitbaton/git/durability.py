"""What shall be on the disk before a command goes on: core.fsync (git-config(1)), pure.

By default git leaves loose objects, the index and refs to the system, and so do we. Whoever asks
for more gets it from git's commands and from what we write ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gitbaton.git.gitconfig import flag

_OBJECTS: Final = frozenset({"loose-object", "pack"})
_COMMITTED: Final = _OBJECTS | {"reference"}
_ADDED: Final = _COMMITTED | {"index"}
_GROUPS: Final = {  # write-or-die.h
    "objects": _OBJECTS,
    "committed": _COMMITTED,
    "added": _ADDED,
    "all": _ADDED,
}


class Durability(Struct, frozen=True):
    """Whether loose ``objects`` are written through to the disk, and what moves ``refs``."""

    objects: bool = False
    refs: bool = False


def read_durability(settings: Mapping[str, str]) -> Durability:
    """Return what git's ``settings`` ask for (read_gitconfig); an unknown word asks for nothing."""
    wanted: set[str] = set()
    refused: set[str] = set()
    for word in settings.get("core.fsync", "").replace(",", " ").split():
        name = word.removeprefix("-")
        parts = _GROUPS.get(name, frozenset({name}))
        (refused if word.startswith("-") else wanted).update(parts)
    if flag(settings, "core.fsyncobjectfiles", default=False):
        wanted.add("loose-object")  # its older name; the stricter of both counts
    # Git counts what is named over what is refused, in any order.
    return Durability(objects="loose-object" in wanted, refs="reference" in wanted)
