"""Brings the hooks' fixes back to the user's files, and never over anybody's edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fate = Literal["updated", "changed", "unsafe", "kept"]


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of one fixed file in the user's tree.

    ``updated``: it has the fix. ``changed``: somebody has changed it since the commit began; their
    file stays as it is. ``unsafe``: its place cannot be written (a directory is now a link, or
    ``reason``). ``kept``: the hook removed it from the commit; the user's file is left there.
    """

    path: bytes
    fate: Fate
    reason: str = ""
