"""The changes that may be made while the remote is away: one place, so that they can be queued."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.app import App
from gitbaton.cli.drafts import with_defaults
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.model import Task


def add_tasks(app: App, drafts: Sequence[Draft]) -> list[Task]:
    """Add ``drafts`` in one transaction and return the tasks. Raises RemoteUnreachable."""
    return app.queue.add(
        [with_defaults(draft, app.config) for draft in drafts], actor=app.identity.actor
    )


def end_claim(send: Callable[[], Task]) -> Task:
    """Return the task after ``send`` (done, block or fail). Raises RemoteUnreachable."""
    return send()
