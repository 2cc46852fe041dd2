"""The hooks: whether they can be made as configured, and what they were not told."""

from __future__ import annotations

from collections.abc import Iterator

from gitbaton.app import App
from gitbaton.cli.doctor.finding import Finding, failed, ok, warning
from gitbaton.core.errors import BatonError
from gitbaton.fleet import Fleet
from gitbaton.hooks.hook import make_hooks


def examine_hooks(app: App) -> Iterator[Finding]:
    """Say what each hook is, and how many events were put aside. Runs and posts nothing."""
    dead = Fleet(app).hook_queue.dead()
    if dead:
        text = f"{len(dead)} events could not be told; the last: {dead[-1].trouble}"
        yield warning("hooks", text, next="baton hooks list")
    configured = app.config.hooks
    try:
        hooks = make_hooks(configured, app.env)
    except BatonError as error:
        yield failed("hooks", error)
        return
    for hook in hooks.values():
        told = ", ".join(sorted(hook.events))
        yield ok("hooks", f"{hook.name}: {hook.target.shown} is told of {told}")
