"""What is said when the system does not let us write our own files: no space, no right."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitbaton.core.errors import Refused

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def writing(state: Path) -> Iterator[None]:
    """Let the block write below ``state`` and the git directory that it is in.

    Raises Refused for an OSError, with the system's reason. What the block has begun is finished
    or taken back by the journal, as after a kill.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(error, state) from error


def unwritable(error: OSError, place: Path) -> Refused:
    """Return what ``error`` means for whoever wanted to write at ``place`` or below it."""
    named = error.filename if isinstance(error.filename, str | bytes) else place
    path = os.fsdecode(named)
    seen = shlex.quote(str(place))
    look = f"df -h {seen}" if error.errno in _FULL else f"ls -ld {seen} {shlex.quote(path)}"
    return Refused(
        f"{path} cannot be written: {error.strerror or error}; what was begun is finished or taken "
        "back by the next baton",
        code="cannot_write",
        next=f"{look}; when it can be written, the same command again",
    )
