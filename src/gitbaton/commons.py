"""The part of the composition root for a checkout that many share, from an ``App``.

Apart from ``app``, because only ``session`` pays for it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from gitbaton.app import App
from gitbaton.core.ids import Oid
from gitbaton.workspace.place import find_place
from gitbaton.workspace.sessions.desk import Desk
from gitbaton.workspace.sessions.register import Register
from gitbaton.workspace.sessions.tree import SessionTrees


class Commons:
    """What the sessions of one clone have in common. Parts are built on first use."""

    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def place(self) -> Path:
        """Where the worktrees of sessions are: beside the clone."""
        app = self._app
        return find_place(app.clone, app.config.work.worktrees, app.git_config) / "sessions"

    @cached_property
    def desk(self) -> Desk:
        """Where sessions come and go."""
        app, config = self._app, self._app.config
        return Desk(
            Register(app.local),
            SessionTrees(app.repository, self.place, config.work.throw_away),
            top=app.clone.top,
            home=app.state / "sessions",
            threshold=config.sessions.threshold,
            shared=config.sessions.shared_cache,
            env=app.env,
            clock=app.clock,
            owners=app.owners,
        )

    def head(self) -> Oid | None:
        """Return the commit that is checked out here, None where there is none yet."""
        return self._commit("HEAD")

    def tip(self, branch: str) -> Oid | None:
        """Return the commit that the clone's ``branch`` is at, None if there is none."""
        return self._commit(f"refs/heads/{branch}")

    def _commit(self, name: str) -> Oid | None:
        asked = self._app.clone.git.run(
            "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False
        )
        return Oid(asked.text) if asked.status == 0 else None
