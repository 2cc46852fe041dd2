"""What the parts of a run share: the lab, the scale, the document, and how trouble is noted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.clients.calling import ClientFailed
from benchmarks.document import Document, Missing
from benchmarks.lab.lab import Lab, Unavailable
from benchmarks.lab.links import LINKS, Link
from benchmarks.lab.redis import RedisError
from benchmarks.lab.workplace import BatonFailed
from benchmarks.scale import Scale

_TROUBLE = (
    BatonFailed,
    ClientFailed,
    RedisError,
    subprocess.SubprocessError,
    OSError,
    RuntimeError,
    ValueError,
    ExceptionGroup,
)


@dataclass(frozen=True)
class Session:
    """One run."""

    lab: Lab
    scale: Scale
    document: Document
    links: tuple[Link, ...] = LINKS
    _began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Tell who waits how far we are."""
        sys.stderr.write(f"[{time.monotonic() - self._began:6.1f} s] {text}\n")
        sys.stderr.flush()

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Do one thing; if it cannot be done or goes wrong, note that and go on with the next."""
        self.say(what)
        try:
            yield
        except Unavailable as error:
            self.say(f"  skipped: {error}")
            self.document.skipped.append(Missing(what, str(error)))
        except _TROUBLE as error:
            told = getattr(error, "stderr", None) or error
            self.say(f"  FAILED: {told}")
            self.document.failed.append(Missing(what, f"{type(error).__name__}: {told}"[:500]))
