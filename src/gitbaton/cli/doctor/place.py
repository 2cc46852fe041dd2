"""The clone, the engine, and the databases that are private to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from gitbaton.app import App
from gitbaton.cli.doctor.finding import Finding, failed, note, ok, problem, warning
from gitbaton.core.errors import BatonError
from gitbaton.git.fast.direct import DirectRemote
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.pushlog import MeteredRemote
from gitbaton.git.remote import Remote
from gitbaton.store.protocol import Store


def examine_clone(app: App) -> Iterator[Finding]:
    """Look at the repository that the clone is."""
    asked = app.clone.git.run(
        *("rev-parse", "--path-format=absolute", "--git-dir", "--is-shallow-repository"),
        *("--is-bare-repository",),
    )
    git_dir, shallow, bare = asked.text.split("\n")
    kind = "a bare repository" if bare == "true" else "a clone"
    if Path(git_dir) != app.clone.common:
        kind = f"a worktree of {app.clone.common}"
    yield ok("clone", f"{app.clone.top}: {kind}, {app.clone.format}")
    if shallow == "true":
        yield note(
            "clone",
            "it is shallow: merging a result may need history that is not here",
            next="git fetch --unshallow",
        )
    promisors = [name for name in app.git_config if name.endswith(".promisor")]
    if promisors or "extensions.partialclone" in app.git_config:
        yield note(
            "clone",
            "it is a partial clone: worktrees fetch the files that are missing as they are made, "
            "so work cannot start while the remote is away",
        )


def examine_engine(app: App) -> Iterator[Finding]:
    """Say where the records are, and where this clone keeps what is its own."""
    settings = app.settings
    if settings.engine == "sqlite":
        yield ok("engine", "sqlite: tasks are shared on this machine only", next=None)
    else:
        where = f"{settings.namespace}*, board {settings.board!r}"
        yield ok("engine", f"git, remote {settings.remote!r}: {where}")
    yield ok("state", f"kept in {app.state}")
    wanted = app.config.store
    if settings.engine == "git" and (settings.namespace, settings.board) != (
        wanted.namespace,
        wanted.board,
    ):
        yield warning(
            "engine",
            f"baton.toml wants {wanted.namespace}* and the board {wanted.board!r}: clones that "
            "differ do not see each other's tasks",
            next=f"baton init --remote {settings.remote}",
        )


def examine_transport(app: App, remote: Remote) -> Iterator[Finding]:
    """Say how the remote is spoken to. Asked after a first look at it: that may change it."""
    if app.config.store.transport == "plain":
        yield note("transport", "plain git, as baton.toml wants it")
        return
    transport = remote.inner if isinstance(remote, MeteredRemote) else remote
    why: str | None = "an address that git knows best"
    if isinstance(transport, FastRemote | DirectRemote):
        why = transport.why_plain
    if why is None:
        yield ok("transport", "fast: pushes and listings are spoken to the server directly")
    else:
        yield note("transport", f"plain git, some round trips slower: {why}")


def examine_databases(app: App) -> Iterator[Finding]:
    """See whether the files of the sqlite engine can be read."""
    stores: dict[str, Callable[[], Store]] = {"local.sqlite": lambda: app.local}
    if app.settings.engine == "sqlite":
        stores["store.sqlite"] = lambda: app.store
    for name, opened in stores.items():
        path = app.state / name
        try:
            damaged = opened().read().damaged
        except BatonError as error:
            yield problem("database", f"{path}: {error.message}", next=error.next or _aside(path))
            continue
        for key, why in damaged.items():
            yield problem("database", f"{path}: {key}: {why}")
        if not damaged:
            yield ok("database", f"{path} can be read", detail=True)


def examine_config(app: App) -> Iterator[Finding]:
    """See whether baton.toml in this working tree can be read."""
    try:
        app.config  # noqa: B018 - reading it is the question
    except BatonError as error:
        yield failed("config", error)


def _aside(path: Path) -> str:
    return f"if nothing else uses it: mv {path} {path}.broken"
