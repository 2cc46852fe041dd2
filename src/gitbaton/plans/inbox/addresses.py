"""Where a message goes: the words people write for it (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gitbaton.core.errors import InvalidInput
from gitbaton.git.fast.address import SshAddress, parse_address


@dataclass(frozen=True, slots=True)
class Destination:
    """An inbox, and a box in it. ``host`` None: this machine's.

    ``program``: what baton is called there, as one word; None: as everywhere.
    """

    host: SshAddress | None
    box: str = ""
    program: str | None = None


FindWorker: TypeAlias = Callable[[str], Destination | None]
"""From a worker's name to what its record says; None: no such worker."""


def parse_destination(text: str, find_worker: FindWorker = lambda name: None) -> Destination:
    """Return what ``text`` means: ``.``, ``.:PATH``, a worker, ``[USER@]HOST[:PATH]``, ``ssh://…``.

    A worker's name goes before a host's. Raises InvalidInput.
    """
    if text == ".":
        return Destination(None)
    if text.startswith(".:"):
        return Destination(None, text[2:])
    return find_worker(text) or _parse_host(text)


def _parse_host(text: str) -> Destination:
    # The path of an address is git's business; where there is none, one is put in its place.
    bare = text.rstrip("/") if text.startswith("ssh://") else text
    for form in (text, f"{bare}/~" if text.startswith("ssh://") else f"{text}:~"):
        found = parse_address(form)
        if isinstance(found, SshAddress):
            box = "" if found.path == "~" else found.path
            return Destination(SshAddress(found.host, "", found.user, found.port), box)
    raise InvalidInput(
        "to", f"{text!r} is no address: write . or HOST or USER@HOST or HOST:PATH, or a worker"
    )
