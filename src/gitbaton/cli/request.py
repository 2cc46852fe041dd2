"""One run of ``baton``: the global options, the output, and the app, opened when needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.cli.output import Output

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
        return app

    @property
    def opened(self) -> App | None:
        """The app, if this run has opened it."""
        return self.__dict__.get("app")

    def close(self) -> None:
        """Close the app if it was opened."""
        if self.opened is not None:
            self.opened.close()
