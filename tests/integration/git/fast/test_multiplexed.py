"""The fast transport over ssh: one connection of the user's own ssh, and its end."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.remote import PushState, RefUpdate
from tests.hermetic import MARK
from tests.integration.git.desk import Desk
from tests.integration.git.gates import stopping
from tests.servers.site import BareRepository

X, Y = "refs/baton/tasks/x", "refs/heads/y"
DONE, UNKNOWN = PushState.DONE, PushState.UNKNOWN


class CountingSsh:
    """A program called ``ssh`` that notes its last argument, then is the real one."""

    def __init__(self, place: Path, server: BareRepository, *, before: str = "") -> None:
        place.mkdir()
        self._log = place / "log"
        self._log.touch()
        program = place / "ssh"
        real = server.env["GIT_SSH_COMMAND"].removeprefix("ssh ")
        program.write_text(
            f'#!/bin/sh\nfor last; do :; done\necho "$last" >>{self._log}\n{before}\n'
            f'PATH={shlex.quote(os.environ["PATH"])} exec ssh {real} "$@"\n'
        )
        program.chmod(0o755)
        self.env = {"GIT_SSH_COMMAND": str(program)}

    @property
    def calls(self) -> list[str]:
        """What was called for: the first word of a command, or ``connect``."""
        lines = self._log.read_text().splitlines()
        return [line.split(" ")[0] if " " in line else "connect" for line in lines]


def masters() -> list[psutil.Process]:
    """Return the connections that this test's processes have left in the background."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(MARK) == os.environ[MARK]
            if ours and process.name() == "ssh" and "baton-" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def ssh(tmp_path: Path, ssh_remote: BareRepository) -> CountingSsh:
    """The ssh that reaches the server, counted."""
    return CountingSsh(tmp_path / "bin", ssh_remote)


def fast(desk: Desk, server: BareRepository, ssh: CountingSsh) -> FastRemote:
    remote = desk.remote(server, env=ssh.env)
    assert isinstance(remote, FastRemote)
    return remote


def test_every_call_is_a_channel_of_one_connection(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh, tmp_path: Path
) -> None:
    oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
    assert ssh.calls == []
    remote.list(["refs/"])
    remote.push([RefUpdate(X, None, oid)], atomic=False)
    reader = desk.sibling(tmp_path / "reader.git")
    fetcher = fast(reader, ssh_remote, ssh)
    fetcher.fetch({X: oid})
    assert reader.has(oid)
    assert ssh.calls == [
        *("connect", "git-upload-pack", "git-receive-pack"),
        *("connect", "git-upload-pack"),
    ]
    remote.close()
    fetcher.close()
    assert ssh.calls[-2:] == ["connect"] * 2  # to say goodbye
    remote.list(["refs/"])
    assert ssh.calls[-2:] == ["connect", "git-upload-pack"]


def test_a_connection_that_was_killed_is_made_again(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
    before = {process.pid for process in masters()}
    remote.list(["refs/"])
    (made,) = [process for process in masters() if process.pid not in before]
    made.kill()
    made.wait(10)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert ssh.calls.count("git-receive-pack") == 1
    assert remote.why_plain is None


def test_a_connection_that_breaks_under_a_push_is_unknown(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
    before = {process.pid for process in masters()}
    remote.list(["refs/"])
    (made,) = [process for process in masters() if process.pid not in before]
    # A hook that never comes: the server's ssh session is what breaks.
    ssh_remote.hook("pre-receive", "kill -9 $PPID; sleep 0.1")
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is UNKNOWN
    with stopping(ssh_remote, "pre-receive") as gate:

        def cut() -> None:
            gate.wait()
            made.kill()

        cutter = threading.Thread(target=cut)
        cutter.start()
        assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is UNKNOWN
        cutter.join()
    assert ssh.calls.count("git-receive-pack") == 2  # never sent again


PROGRAM = """
import sys
import threading
from pathlib import Path
from gitbaton.git.fast.choosing import choose_remote
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.runner import Git, clean_environment
import os
path = Path(sys.argv[1])
git = Git(path.parent, clean_environment(os.environ), (f"--git-dir={path}",))
remote = choose_remote(git, ObjectStore(git, path, "sha1"), sys.argv[2])
remote.list(["refs/"])
print("listed", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("end", ["exit", "interrupt"])
def test_the_connection_ends_with_the_process(
    desk: Desk, ssh_remote: BareRepository, end: str
) -> None:
    before = {process.pid for process in masters()}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(desk.path), ssh_remote.url],
        env={**desk.env, **ssh_remote.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "listed\n"
        left = [process for process in masters() if process.pid not in before]
        assert len(left) == 1
        if end == "interrupt":
            program.send_signal(signal.SIGINT)
        program.communicate("\n")
    _, alive = psutil.wait_procs(left, timeout=10)
    assert not alive


def test_words_of_a_login_shell_are_no_answer(
    desk: Desk, ssh_remote: BareRepository, tmp_path: Path
) -> None:
    noisy = CountingSsh(
        tmp_path / "noisy", ssh_remote, before='case "$last" in git-*) echo Welcome;; esac'
    )
    oid, remote = desk.commit(), fast(desk, ssh_remote, noisy)
    fate = remote.push([RefUpdate(X, None, oid)], atomic=False)[X]
    assert fate.state is UNKNOWN  # it has been done, in fact; nobody could tell
    assert ssh_remote.refs() == {X: oid}
    assert remote.why_plain is not None


def test_a_look_that_is_no_advertisement_sends_nothing(
    desk: Desk, ssh_remote: BareRepository, tmp_path: Path
) -> None:
    noisy = CountingSsh(
        tmp_path / "noisy", ssh_remote, before='case "$last" in git-receive*) echo Hi;; esac'
    )
    oid, remote = desk.commit(), fast(desk, ssh_remote, noisy)
    updates = [RefUpdate(X, None, oid), RefUpdate(Y, None, oid)]
    fates = remote.push(updates, atomic=True)
    # Nothing was sent by us; git itself cannot read that either, and says so.
    assert DONE not in {fate.state for fate in fates.values()}
    assert ssh_remote.refs() == {}
    assert remote.why_plain is not None


def test_a_server_that_is_not_told_of_version_2(
    desk: Desk, ssh_remote: BareRepository, tmp_path: Path
) -> None:
    deaf = CountingSsh(tmp_path / "deaf", ssh_remote, before="unset GIT_PROTOCOL")
    oid, remote = desk.commit(), fast(desk, ssh_remote, deaf)
    assert remote.list(["refs/"]).refs == {}
    remote.push([RefUpdate(X, None, oid), RefUpdate(Y, None, oid)], atomic=False)
    assert remote.list(["refs/heads/"]).refs == {Y: oid}
    assert remote.why_plain is None
    assert deaf.calls.count("git-upload-pack") == 2
