"""The logs of this clone's claims: which there are, and reading one while it is written.

``<task>-e<epoch>.log`` is what the agent printed; ``<task>-e<epoch>.<step>-<n>.log`` what a
set-up command or a check did.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AGENT: Final = re.compile(r"(?P<task>.+)-e(?P<epoch>[1-9][0-9]*)\.log")
_STEP: Final = re.compile(r"(?P<task>.+)-e(?P<epoch>[1-9][0-9]*)\.(?P<step>[a-z]+-[0-9]+)\.log")
_DROPPED: Final = re.compile(rb"\n\[baton: [0-9]+ bytes dropped here\]\n")  # work/output.py
_ANCHOR: Final = 64  # bytes before our place that must still be the same


@dataclass(frozen=True, slots=True, order=True)
class ClaimLog:
    """One log. ``step`` is empty for the agent's own output, else such as ``check-1``."""

    task: str
    epoch: int
    step: str
    path: Path


def find_logs(directory: Path) -> list[ClaimLog]:
    """Return all logs of claims in ``directory``, by task, epoch and step."""
    found = []
    for path in directory.glob("*.log"):
        match = _STEP.fullmatch(path.name) or _AGENT.fullmatch(path.name)
        if match is not None:
            step = match.groupdict().get("step") or ""
            found.append(ClaimLog(match["task"], int(match["epoch"]), step, path))
    return sorted(found)


class LogReader:
    """Reads a log piece by piece while it is written, also when it is shortened in place.

    A full log loses its middle (``work.output.CappedLog``). A reader that notices that goes on
    from the line that says how much was dropped, so it may repeat some of what it gave before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._before = b""  # what stands just before our place
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    @property
    def started(self) -> bool:
        """Whether anything was read yet."""
        return self._place > 0

    def read(self, *, final: bool = False) -> str:
        """Return what is new, "" if nothing is. ``final``: also half a character at the end."""
        return self._decoder.decode(self.read_bytes(), final)

    def read_bytes(self) -> bytes:
        """Return what is new as it stands in the file; a file that is not there has nothing."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place - len(self._before))
                data = file.read()
                if data.startswith(self._before):
                    data = data[len(self._before) :]
                else:
                    file.seek(0)
                    data = self._start_again(file.read())
        except FileNotFoundError:
            return b""
        self._place += len(data)
        self._before = (self._before + data)[-_ANCHOR:]
        return data

    def _start_again(self, whole: bytes) -> bytes:
        """Return what follows the place where the log was cut, and stand before it."""
        cuts = [match.start() for match in _DROPPED.finditer(whole)]
        self._place = cuts[-1] if cuts else 0
        self._before = whole[max(self._place - _ANCHOR, 0) : self._place]
        return whole[self._place :]
