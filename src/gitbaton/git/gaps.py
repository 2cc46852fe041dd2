"""The note that something is missing which should be here, for whoever looks at the remote next."""

from __future__ import annotations

import contextlib
from pathlib import Path


class Gap:
    """The file ``gap`` of a coordination repository; of another repository nothing is noted."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    @property
    def is_ours(self) -> bool:
        """Whether it is a coordination repository; nobody else's files are ours to touch."""
        return (self._repository / "ready").is_file()

    def is_noted(self) -> bool:
        """Tell whether somebody missed something, and nobody has brought it since."""
        return (self._repository / "gap").exists()

    def note(self) -> None:
        """Note it. Best effort: whoever misses it next notes it again."""
        if self.is_ours:
            with contextlib.suppress(OSError):
                (self._repository / "gap").touch()

    def forget(self) -> None:
        """Take the note back: all was brought again."""
        with contextlib.suppress(OSError):
            (self._repository / "gap").unlink(missing_ok=True)
