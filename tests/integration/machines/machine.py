"""One machine in miniature: a home with everything that its programs find there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.functional.baton import SOURCE, Answer
from tests.hermetic import hermetic_environment
from tests.servers.sshdaemon import client_options

HUB = "hub"
"""The name of the machine that serves the remote."""

MARK = "GITBATON_TEST_MACHINE"
"""In the environment of everything that runs on a machine: the lab's own word and its name."""

_PATIENCE = 60.0  # seconds for one command
# What sshd gives its sessions: without these a command would see the account's real home.
_SESSION = ("HOME", "PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "TZ", "LC_ALL", MARK)


class Door(NamedTuple):
    """Where a machine's sshd is reached."""

    address: str
    port: int


@dataclass(frozen=True)
class Machine:
    """A machine called ``name``. ``enter``: the words that take a command there."""

    name: str
    home: Path
    env: Mapping[str, str]
    enter: tuple[str, ...] = ()

    @property
    def clone(self) -> Path:
        """Where this machine has its clone of the remote."""
        return self.home / "work"

    @property
    def session(self) -> dict[str, str]:
        """The environment of what is started there through ssh."""
        return {name: self.env[name] for name in _SESSION if name in self.env}

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self._do(words, cwd or self.home)
        assert done.returncode == 0, (self.name, words, done.stdout, done.stderr)
        return done.stdout

    def git(self, *words: str) -> str:
        """Run ``git *words`` in the clone, which must succeed."""
        return self.run("git", *words, cwd=self.clone).strip()

    def baton(self, *words: str) -> Answer:
        """Run ``baton *words`` in the clone to its end."""
        done = self._do(("baton", *words), self.clone)
        return Answer(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str) -> Any:
        """Run ``baton *words --json``, which must succeed, and return its document."""
        answer = self.baton(*words, "--json")
        assert answer.status == 0, (self.name, words, answer)
        return answer.json

    def start(self, *words: str, out: Path, err: Path) -> subprocess.Popen[bytes]:
        """Start ``baton *words`` in the clone and return at once; its output is appended."""
        with out.open("ab") as stdout, err.open("ab") as stderr:
            return subprocess.Popen(
                [*self.enter, "baton", *words],
                cwd=self.clone,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def _do(self, words: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.enter, *words],
            cwd=cwd,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )


def lab_word(root: Path) -> str:
    """Return the word that marks what runs in the lab below ``root``, of all at this time."""
    return f"lab-{os.getpid()}-{root.name}"


def furnish(root: Path, name: str, word: str, enter: tuple[str, ...] = ()) -> Machine:
    """Make a machine: its home below ``root``, a git of its own, ``baton`` and ``ssh`` on PATH.

    ``word`` marks the lab. Before it can reach others it needs ``write_doors``.
    """
    home = root / name
    programs = home / "bin"
    programs.mkdir(parents=True)
    (home / ".ssh").mkdir(mode=0o700)
    env = hermetic_environment(os.environ, home)
    with Path(env["GIT_CONFIG_GLOBAL"]).open("a") as config:
        config.write(f"[user]\n\tname = {name}\n\temail = {name}@gitbaton.invalid\n")
    git, ssh = shutil.which("git"), shutil.which("ssh")
    assert git is not None and ssh is not None
    _program(programs / "baton", f'PYTHONPATH={SOURCE} exec {sys.executable} -m gitbaton.cli "$@"')
    # ssh looks for its configuration in the account's home, wherever HOME points to.
    _program(programs / "ssh", f'exec {ssh} -F {home}/.ssh/config {_SOON} "$@"')
    path = dict.fromkeys([str(programs), str(Path(git).parent), "/usr/bin", "/bin"])
    env["PATH"] = os.pathsep.join(path)
    env[MARK] = f"{word}/{name}"
    return Machine(name, home, env, enter)


def write_doors(machine: Machine, doors: Mapping[str, Door], keys: Path) -> None:
    """Tell the ssh of ``machine`` where the others are, by their names."""
    lines = []
    for name, door in doors.items():
        lines += [f"Host {name}", f"  HostName {door.address}", f"  Port {door.port}"]
    lines.append("Host *")
    lines += [f"  {name} {value}" for name, value in client_options(keys).items()]
    (machine.home / ".ssh" / "config").write_text("\n".join([*lines, ""]))


# As a user would who knows the network to be near: a link that is gone is noticed soon. Before
# what gitbaton itself asks for, since ssh takes the first that it is told.
_SOON = "-oConnectTimeout=1 -oServerAliveInterval=1 -oServerAliveCountMax=3"


def _program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
