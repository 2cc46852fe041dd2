"""One run of ``baton``: the global options, the output, and the app, opened when needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.cli.output import Output
from gitbaton.core.errors import BatonError
from gitbaton.workspace.safecommit.pending import list_moves

if TYPE_CHECKING:
    from gitbaton.app import App


class Request:
    """What every verb gets. ``env`` is the process's environment; only ``main`` reads it."""

    def __init__(self, env: Mapping[str, str], output: Output) -> None:
        self.env = env
        self.output = output
        self.directory = Path()

    @cached_property
    def app(self) -> App:
        """The clone in ``-C DIR`` or the current directory. Raises BatonError outside of one."""
        from gitbaton.app import open_app

        app = open_app(self.directory, self.env)
        self.output.detail(
            f"{app.clone.top}: {app.settings.engine}"
            + (f", remote {app.settings.remote}" if app.settings.remote else "")
        )
        if list_moves(app.state):
            self._finish_moves(app)
        return app

    @property
    def opened(self) -> App | None:
        """The app, if this run has opened it."""
        return self.__dict__.get("app")

    def _finish_moves(self, app: App) -> None:
        """Finish what a killed commit left half done; what cannot be now is left to the next."""
        from gitbaton.checkout import replay_unfinished

        try:
            count = replay_unfinished(app.state, self.env, clock=app.clock)
        except BatonError as error:
            self.output.note(f"a commit that was killed here is not tidied up yet: {error.message}")
            return
        if count:
            self.output.note("tidied up after a commit that was killed here")

    def close(self) -> None:
        """Close the app if it was opened."""
        if self.opened is not None:
            self.opened.close()
