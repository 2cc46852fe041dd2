"""The background process of ``claim --keep``: renews claims until another process ends.

It is started anew from this interpreter, in a session of its own, so it outlives the shell. It
finds its tokens in the clone; none is in its arguments, which everybody on the machine can read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock
from gitbaton.core.errors import InvalidInput
from gitbaton.core.process import Process, find_process, is_alive
from gitbaton.workspace.sessions.occupants import MARK

if TYPE_CHECKING:
    from gitbaton.app import App
    from gitbaton.tasks.claims import Token


def find_kept(pid: int, clock: Clock) -> Process:
    """Return the process ``pid``; raise InvalidInput if there is none."""
    found = find_process(pid, origin=clock.origin)
    if found is None:
        raise InvalidInput("--keep", f"there is no process {pid}")
    return found


def start_keeper(app: App, kept: Process, tokens: Sequence[Token]) -> None:
    """Start a process that renews ``tokens``, stored in the clone, until ``kept`` ends.

    It stands in no worktree and has no session's mark: it keeps none from ending.
    """
    app.logs.mkdir(parents=True, exist_ok=True)
    claims = [f"{token.task}:{token.epoch}" for token in tokens]
    words = [str(app.clone.common), str(kept.pid), kept.start, *claims]
    with (app.logs / "keep.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "gitbaton.cli.keep", *words],
            cwd=app.clone.common,
            env={name: value for name, value in app.env.items() if name != MARK},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def keep(directory: Path, kept: Process, claims: Mapping[str, int], env: Mapping[str, str]) -> None:
    """Renew the ``claims`` (task -> epoch) stored in the clone at ``directory`` until the end."""
    from gitbaton.app import open_app
    from gitbaton.tasks.claims import Token
    from gitbaton.workspace.keeping import keep_claims

    app = open_app(directory, env)
    try:
        held = [c for c in app.held.all() if claims.get(c.task) == c.epoch]
        keep_claims(
            app.queue.renew,
            {Token.parse(claim.token): claim.lease for claim in held},
            lives=lambda: is_alive(kept, origin=app.clock.origin),
            clock=app.clock,
            renewed=lambda token: app.held.touch(token.task, token.epoch),
        )
    finally:
        app.close()


def main(argv: Sequence[str]) -> None:
    """Run as ``python -m gitbaton.cli.keep DIR PID START TASK:EPOCH…``."""
    from gitbaton.core.clock import SystemClock

    directory, pid, start, *words = argv
    claims = {task: int(epoch) for task, _, epoch in (word.rpartition(":") for word in words)}
    keep(Path(directory), Process(int(pid), start, SystemClock().origin), claims, dict(os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
