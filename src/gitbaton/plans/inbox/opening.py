"""Opens inboxes: this machine's file, or another's through ssh."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import InvalidInput
from gitbaton.plans.inbox.addresses import Destination
from gitbaton.plans.inbox.bells import Bell, FileBell, Pause
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from gitbaton.store.ssh.ways import SshConnections

REMOTE_COMMAND: Final = "baton"
"""What is called on another host, unless ``BATON_REMOTE_COMMAND`` says otherwise."""

# A shell that is not a login shell often lacks the place where pip and uv put commands.
_SEARCHING = 'PATH="$PATH:$HOME/.local/bin"; export PATH; exec {command} store-serve --inbox'


@dataclass(frozen=True, slots=True)
class OpenInbox:
    """An inbox and what tells that something in it may have changed. Close it when done."""

    inbox: Inbox
    bell: Bell

    def close(self) -> None:
        """Release files and connections."""
        self.inbox.store.close()


def inbox_path(env: Mapping[str, str]) -> Path:
    """Return where this machine's inbox is for the user of ``env``. Raises InvalidInput.

    It depends on the home directory alone, so that a login shell and a command started by ssh
    find the same file; ``BATON_INBOX`` names another one.
    """
    named = env.get("BATON_INBOX")
    if named:
        path = Path(named)
        if not path.is_absolute():
            raise InvalidInput("BATON_INBOX", f"{named!r} is no absolute path")
        return path
    return home(env) / ".local" / "state" / "gitbaton" / "inbox.sqlite"


def home(env: Mapping[str, str]) -> Path:
    """Return the user's home directory."""
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def open_own_store(env: Mapping[str, str], clock: Clock) -> SqliteStore:
    """Open the file of this machine's inbox; nobody else may read it. Raises as SqliteStore."""
    path = inbox_path(env)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        pass  # SQLite will say what is wrong with it
    return SqliteStore(path, clock=clock)


def open_inbox(
    destination: Destination,
    env: Mapping[str, str],
    clock: Clock,
    *,
    watched: Sequence[Path] = (),
    connections: SshConnections | None = None,
) -> OpenInbox:
    """Open the inbox at ``destination``; ``watched``: files that ring its bell too.

    Connects nowhere before the first use. ``connections``: those of this process, to be shared.
    """
    if destination.host is None:
        path = inbox_path(env)
        # A commit appends to the log; a checkpoint writes the file.
        files = (path.with_name(f"{path.name}-wal"), path, *watched)
        inbox = Inbox(open_own_store(env, clock), clock, own=True)
        return OpenInbox(inbox, FileBell(files, clock))
    from gitbaton.store.ssh.engine import SshStore
    from gitbaton.store.ssh.ways import SshConnections

    shared = connections or SshConnections(env)
    if destination.program is not None:
        command = shlex.quote(destination.program)  # it comes from a record (I8)
    else:
        command = env.get("BATON_REMOTE_COMMAND") or REMOTE_COMMAND
    script = shlex.join(["sh", "-c", _SEARCHING.format(command=command)])
    way = shared.way(destination.host, script)
    return OpenInbox(Inbox(SshStore(way, clock=clock), clock, own=False), Pause(clock))
