"""gitbaton: as a library in a process that stays, and as a command that starts for each claim."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contenders.contender import Claim
from benchmarks.lab.workplace import baton_command
from gitbaton.app import open_app
from gitbaton.core.errors import NothingToClaim
from gitbaton.tasks.claims import Claimant

_NOTHING_LEFT = 75
_TRIES = 50


class Library:
    """One queue, kept open: how a worker claims."""

    def __init__(self, clone: Path, env: Mapping[str, str], agent: str, batch: int) -> None:
        self._app = open_app(clone, env)
        self._queue = self._app.queue
        self._queue.view()  # a clone brings branches and tags; now we have what the others have
        self._who = Claimant(agent, agent, "benchmark")
        self._batch = batch

    def claim(self) -> list[Claim]:
        for _ in range(_TRIES):
            try:
                won = self._queue.claim(self._who, count=self._batch)
            except NothingToClaim as error:
                if error.code == "lost":
                    continue  # others were faster; there is more
                return []
            return [Claim(claimed.token.task, claimed.token.nonce) for claimed in won]
        raise RuntimeError(f"lost {_TRIES} times in a row")

    def close(self) -> None:
        """End the connections."""
        self._app.close()


class Command:
    """A process for each claim: how a script or an agent claims."""

    def __init__(self, clone: Path, env: Mapping[str, str], agent: str) -> None:
        self._clone, self._env = clone, dict(env)
        self._words = [*baton_command(), "claim", "--agent", agent, "--json"]

    def claim(self) -> list[Claim]:
        done = subprocess.run(
            self._words,
            cwd=self._clone,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode == _NOTHING_LEFT:
            return []
        if done.returncode != 0:
            raise RuntimeError(f"baton claim: {done.returncode}: {done.stderr.decode()}")
        won = json.loads(done.stdout)["claims"]
        return [Claim(one["task"]["id"], one["token"].rpartition(":")[2]) for one in won]

    def close(self) -> None:
        """There is nothing to hang up."""
