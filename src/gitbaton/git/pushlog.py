"""How many pushes a clone has sent of late, counted by all of its processes.

One line a push, appended by a single write, so that a process killed at any moment leaves at most
a torn last line. Lines are compared on one observer's clock only (I5): those of another boot or
another machine, torn ones and those of the future do not count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.git.remote import Choose, Listing, RefResult, RefUpdate, Remote, fetch_whole

_LARGE: Final = 256 * 1024  # bytes; some thousand pushes


class PushLog:
    """The pushes of one clone. A log that cannot be written or read stops nobody."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._before = path.with_name(f"{path.name}.old")
        self._clock = clock

    def note(self) -> None:
        """Write down that a push leaves now."""
        line = f"{self._clock.origin}\t{self._clock.elapsed():.3f}\n".encode()
        with suppress(OSError):
            self._turn_over()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, line)
            finally:
                os.close(file)

    def count(self, seconds: float) -> int:
        """Return how many pushes left within the last ``seconds``."""
        now = self._clock.elapsed()
        return sum(now - seconds < moment <= now for moment in self._moments())

    def _moments(self) -> Iterator[float]:
        for path in (self._before, self._path):
            try:
                text = path.read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            for line in text.splitlines():
                origin, _, moment = line.partition("\t")
                if origin == self._clock.origin:
                    with suppress(ValueError):
                        yield float(moment)

    def _turn_over(self) -> None:
        """Begin a new file when this one is large. Two at once: some pushes are forgotten."""
        with suppress(FileNotFoundError):
            if self._path.stat().st_size > _LARGE:
                self._path.replace(self._before)


class MeteredRemote:
    """A remote whose pushes are counted. See ``git.remote.Remote``."""

    def __init__(self, inner: Remote, log: PushLog) -> None:
        self.inner = inner
        self._log = log

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def supports_atomic(self) -> bool | None:
        return self.inner.supports_atomic

    def list(self, prefixes: Sequence[str]) -> Listing:
        return self.inner.list(prefixes)

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        self.inner.fetch(refs, have=have)

    def fetch_whole(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        fetch_whole(self.inner, refs, have=have)

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        self._log.note()
        return self.inner.push(updates, atomic=atomic)

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        return self.inner.push_chosen(self._noting(choose))

    def close(self) -> None:
        self.inner.close()

    def _noting(self, choose: Choose) -> Callable[..., Sequence[RefUpdate]]:
        noted = False

        def choose_and_note(refs: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
            nonlocal noted
            updates = choose(refs)
            if updates and not noted:
                noted = True
                self._log.note()
            return updates

        return choose_and_note
