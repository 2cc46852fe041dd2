"""What a session finds in its environment, and the directories that go with it.

Of its own: ``BATON_SESSION_STATE``, for whatever a session's tools want to keep apart, and the
cache (``XDG_CACHE_HOME``), where tools of two sessions would get in each other's way. Not moved:
configuration, data and state (``HOME``, ``XDG_CONFIG_HOME``, ``XDG_DATA_HOME``,
``XDG_STATE_HOME``), because credentials, logins and the history of shells are kept there. Of the
user's cache what is made to be shared, or holds a credential, is linked into the session's own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.git.worktrees import erase
from gitbaton.workspace.sessions.occupants import MARK
from gitbaton.workspace.sessions.roll import Session


@dataclass(frozen=True, slots=True)
class Belongings:
    """The directories of the session ``name``, below ``home`` (``<git dir>/baton/sessions``)."""

    home: Path
    name: str

    @property
    def root(self) -> Path:
        return self.home / self.name

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def make(self, env: Mapping[str, str], shared: Sequence[str]) -> None:
        """Make them; link the ``shared`` parts of the user's cache. Raises BatonError."""
        users = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "/")) / ".cache")
        try:
            for directory in (self.state, self.cache):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in shared:
                link = self.cache / part
                link.parent.mkdir(parents=True, exist_ok=True)
                (users / part).mkdir(parents=True, exist_ok=True, mode=0o700)
                with contextlib.suppress(FileExistsError):
                    # To its real place: the cache of a session within a session is linked, too.
                    link.symlink_to((users / part).resolve(), target_is_directory=True)
        except OSError as error:
            raise BatonError(
                f"the directories of the session cannot be made: {error}", next="baton doctor"
            ) from error

    def erase(self) -> None:
        """Delete them. What is linked is not followed."""
        erase(self.root)


def variables(session: Session, belongings: Belongings) -> dict[str, str]:
    """Return the environment variables of ``session``."""
    found = {
        "BATON_SESSION": session.name,
        MARK: os.fspath(belongings.state),
        "XDG_CACHE_HOME": os.fspath(belongings.cache),
    }
    if session.tree is not None:
        found["BATON_WORKTREE"] = session.tree.path
    return found
