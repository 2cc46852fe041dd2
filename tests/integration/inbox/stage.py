"""An inbox on this machine, reached directly and through a real sshd whose link can break."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ports import LOCALHOST
from tests.servers.relay import Relay, _shut
from tests.servers.site import Site

ROOT = Path(__file__).parents[3]
PLAYERS = "tests.integration.inbox.players"


class FlakyRelay(Relay):
    """A link that breaks, and can be used again at once."""

    def drop(self) -> int:
        """Break all connections; return how many ends that were."""
        with self._lock:
            broken = list(self._open)
            self._open.clear()
        for end in broken:
            _shut(end)
        return len(broken)


@dataclass(frozen=True)
class Stage:
    """The inbox at ``path``, and the environment of everybody who uses it."""

    path: Path
    env: Mapping[str, str]
    user: str

    @staticmethod
    def make(directory: Path, site: Site | None = None) -> Stage:
        """Return an inbox in ``directory``, reached through the sshd of ``site``."""
        path = directory / "inbox.sqlite"
        source = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        words = ["env", f"BATON_INBOX={path}", f"PYTHONPATH={source}", sys.executable]
        env = {
            **os.environ,
            **(site.env if site is not None else {}),
            "PYTHONPATH": source,
            "BATON_INBOX": str(path),
            "BATON_REMOTE_COMMAND": shlex.join([*words, "-m", "gitbaton.cli"]),
        }
        return Stage(path, env, getpass.getuser())

    def address(self, port: int | None) -> str:
        """Return the inbox as seen through the server on ``port``."""
        return f"ssh://{self.user}@{LOCALHOST}:{port}"

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a player."""
        return subprocess.Popen([sys.executable, "-m", PLAYERS, *words], env=self.env, cwd=ROOT)


def check_history(path: Path) -> tuple[set[str], dict[str, int]]:
    """Return the messages that were answered, and how often each was taken.

    An independent look: plain SQL on the history, none of the code that wrote it. Raises
    AssertionError for a message that was answered twice, or is still open.
    """
    answered: set[str] = set()
    takes: dict[str, set[str]] = {}
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT key, value FROM history ORDER BY number").fetchall()
        (left,) = database.execute(
            "SELECT count(*) FROM record WHERE key LIKE 'deliveries/%'"
        ).fetchone()
    for key, data in rows:
        collection, _, handle = key.partition("/")
        value = None if data is None else json.loads(data)
        if collection == "messages" and value is not None and value["response"] is not None:
            assert handle not in answered, "answered twice"
            answered.add(handle)
        if collection == "deliveries" and value is not None and value["hold"] is not None:
            assert handle not in answered, "taken after the answer"
            takes.setdefault(handle, set()).add(value["hold"]["nonce"])
    assert left == 0, "something still waits"
    return answered, {handle: len(nonces) for handle, nonces in takes.items()}
