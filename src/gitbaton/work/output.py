"""What an agent prints: a log file of bounded size, and lines for whoever watches."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Final

DEFAULT_CAP: Final = 16 * 2**20
LEAST_CAP: Final = 4096
_LONGEST_LINE: Final = 4096  # characters


class CappedLog:
    """A log file that keeps the beginning and the end of what was written, within ``cap`` bytes.

    Up to the cap it is simply a file that grows. Beyond, its first quarter stays, and whenever it
    is full the newest quarter is moved up behind a line that says how much was dropped. So it is
    always readable and current; a reader that follows it and finds it shorter than where it stood
    goes on from the line of ``dropped`` bytes. Rewriting costs at most half of what is written.

    A file that cannot be written (a full disk) is given up with the reason in ``error``; writing
    goes on being accepted, because an agent must never block on its output. The last ``ending``
    bytes are also kept in memory for ``tail``. Not thread-safe. Raises ValueError for a cap below
    4096.
    """

    def __init__(self, path: Path, *, cap: int = DEFAULT_CAP, ending: int = 8192) -> None:
        if cap < LEAST_CAP:
            raise ValueError(f"a log of {cap} bytes is too small to be of use")
        self.dropped = 0
        self.error: str | None = None
        self._cap = cap
        self._quarter = cap // 4
        self._size = 0
        self._ending = ending
        self._last = bytearray()
        self._file = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._give_up(error)

    def write(self, data: bytes) -> None:
        """Take ``data``. It is in the file when this returns."""
        self._last += data[-self._ending :]
        del self._last[: -self._ending]
        rest = memoryview(data)
        try:
            while rest and self._file >= 0:
                if self._size >= self._cap:
                    self._make_room()
                part = rest[: self._cap - self._size]
                written = os.pwrite(self._file, part, self._size)
                self._size += written
                rest = rest[written:]
        except OSError as error:
            self._give_up(error)

    def tail(self) -> str:
        """Return the last bytes written, as text that starts at the beginning of a line."""
        text = self._last.decode(errors="replace")
        _, newline, whole = text.partition("\n")
        return whole if len(self._last) == self._ending and newline else text

    def close(self) -> None:
        """Close the file. Writing afterwards only feeds ``tail``."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _make_room(self) -> None:
        """Keep the first and the newest quarter, with a line between them."""
        kept = os.pread(self._file, self._quarter, self._size - self._quarter)
        # What is overwritten: all behind the first quarter, apart from the line of last time.
        line = len(dropped_line(self.dropped)) if self.dropped else 0
        self.dropped += self._size - 2 * self._quarter - line
        middle = dropped_line(self.dropped) + kept
        os.pwrite(self._file, middle, self._quarter)
        self._size = self._quarter + len(middle)
        os.ftruncate(self._file, self._size)

    def _give_up(self, error: OSError) -> None:
        self.error = f"the log could not be written: {error.strerror or error}"
        self.close()


def dropped_line(count: int) -> bytes:
    """Return the line that stands for ``count`` bytes which are not in the log."""
    return b"\n[baton: %d bytes dropped here]\n" % count


class Lines:
    """Cuts a stream of bytes into lines of text; a very long line into several."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes, *, final: bool = False) -> list[str]:
        """Return the lines that ``data`` completes; with ``final`` also the unfinished last one."""
        *lines, self._rest = (self._rest + self._decoder.decode(data, final)).split("\n")
        while len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        return [part for line in lines for part in _pieces(line.removesuffix("\r"))]


def _pieces(line: str) -> list[str]:
    return [line[at : at + _LONGEST_LINE] for at in range(0, len(line), _LONGEST_LINE)] or [""]
