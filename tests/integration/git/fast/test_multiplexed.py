"""The fast transport over ssh: one connection of the user's own ssh, and its end."""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.fast import master
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.remote import PushState, RefUpdate
from tests.functional.working import wait_until
from tests.hermetic import MARK
from tests.integration.git.desk import Desk
from tests.integration.git.gates import stopping
from tests.servers.site import BareRepository

X, Y = "refs/baton/tasks/x", "refs/heads/y"
DONE, UNKNOWN = PushState.DONE, PushState.UNKNOWN


class CountingSsh:
    """A program called ``ssh`` that notes what it is called for, then is the real one.

    ``settings``: lines of ssh_config(5).
    """

    def __init__(
        self, place: Path, server: BareRepository, *, before: str = "", settings: str = ""
    ) -> None:
        place.mkdir()
        self._log = place / "log"
        self._log.touch()
        program, config = place / "ssh", place / "config"
        config.write_text(settings)
        real = server.env["GIT_SSH_COMMAND"].removeprefix("ssh -F /dev/null ")
        program.write_text(f"""\
#!/bin/sh
for last; do :; done
case "$* " in
  *" -G "*) word=ask ;;
  *" -N "*) word=connect ;;
  *" -Oexit "*) word=end ;;
  *) word=${{last%% *}} ;;
esac
echo "$word" >>{self._log}
{before}
PATH={shlex.quote(os.environ["PATH"])} exec ssh -F {config} {real} "$@"
""")
        program.chmod(0o755)
        self.env = {"GIT_SSH_COMMAND": str(program)}

    @property
    def calls(self) -> list[str]:
        """What was called for: the first word of a command; ``ask``, ``connect``, ``end``."""
        return self._log.read_text().splitlines()


def ours() -> list[psutil.Process]:
    """Return the connections that this run of the tests has in the background."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == os.environ[MARK]
            if marked and process.name() == "ssh" and "/baton-" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def socket_of(connection: psutil.Process) -> Path:
    """Return where a connection listens."""
    (found,) = re.findall(r"/\S*/baton-\w+/s", " ".join(connection.cmdline()))
    return Path(found)


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
        *("ask", "connect", "git-upload-pack", "git-receive-pack"),
        *("ask", "connect", "git-upload-pack"),
    ]
    connections = ours()
    assert len(connections) == 2
    remote.close()
    fetcher.close()
    _, alive = psutil.wait_procs(connections, timeout=10)
    assert not alive
    assert ssh.calls[-2:] == ["end", "end"]
    remote.list(["refs/"])
    assert ssh.calls[-2:] == ["connect", "git-upload-pack"]


def test_a_connection_that_was_killed_is_made_again(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
    remote.list(["refs/"])
    (made,) = ours()
    made.kill()
    made.wait(10)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert ssh.calls.count("git-receive-pack") == 1
    assert remote.why_plain is None


def test_a_connection_that_breaks_under_a_push_is_unknown(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
    remote.list(["refs/"])
    (made,) = ours()
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


def push_in_succession(remote: FastRemote, desk: Desk, count: int) -> list[Oid]:
    """Move X so many times, from nothing on; return its values."""
    values: list[Oid] = []
    for _ in range(count):
        old = values[-1] if values else None
        values.append(desk.commit(*values[-1:]))
        assert remote.push([RefUpdate(X, old, values[-1])], atomic=False)[X].state is DONE
    return values


def test_who_pushes_in_succession_has_the_next_channel_open(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    remote = fast(desk, ssh_remote, ssh)
    [first] = push_in_succession(remote, desk, 1)
    assert ssh.calls.count("git-receive-pack") == 1
    second = desk.commit(first)
    assert remote.push([RefUpdate(X, first, second)], atomic=False)[X].state is DONE
    wait_until(lambda: ssh.calls.count("git-receive-pack") == 3)  # one ahead of time
    third = desk.commit(second)
    seen: list[object] = []

    def choose(refs: object) -> Sequence[RefUpdate]:
        seen.append(refs)
        return [RefUpdate(X, second, third)]

    assert remote.push_chosen(choose)[X].state is DONE
    assert seen == [None]  # what the open channel shows is old: nothing is decided on it
    assert ssh_remote.refs()[X] == third
    remote.close()
    wait_until(lambda: not ours())


def test_an_open_channel_does_not_win_what_somebody_else_has(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    """I1: the old value is compared when it is sent, however long the channel was open."""
    remote = fast(desk, ssh_remote, ssh)
    *_, last = push_in_succession(remote, desk, 2)
    theirs, mine = desk.commit(last), desk.commit(last)
    rival = fast(desk, ssh_remote, ssh)
    assert rival.push([RefUpdate(X, last, theirs)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(X, last, mine)], atomic=False)[X].state is PushState.STALE
    assert ssh_remote.refs()[X] == theirs


def test_an_open_channel_that_has_died_is_replaced(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh
) -> None:
    remote = fast(desk, ssh_remote, ssh)
    *_, last = push_in_succession(remote, desk, 2)
    wait_until(lambda: ssh.calls.count("git-receive-pack") == 3)
    for connection in ours():
        connection.kill()
        connection.wait(10)
    link = remote._link
    assert link is not None
    wait_until(lambda: not link.is_open)
    new = desk.commit(last)
    assert remote.push([RefUpdate(X, last, new)], atomic=False)[X].state is DONE


def test_an_open_channel_that_nobody_takes_is_closed(
    desk: Desk, ssh_remote: BareRepository, ssh: CountingSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitbaton.git.fast.spare._KEPT", 0.05)
    remote = fast(desk, ssh_remote, ssh)
    push_in_succession(remote, desk, 2)
    link = remote._link
    assert link is not None
    wait_until(lambda: not link.is_open)
    assert ours()  # the connection itself stays


def test_who_is_killed_while_it_connects_leaves_no_connection(tmp_path: Path) -> None:
    """I4: the guardian hangs up although nobody hears that it is connected."""
    hung_up, private = tmp_path / "hung-up", tmp_path / "private"
    private.mkdir()
    guardian = subprocess.Popen(
        ["sh", "-c", master._GUARDIAN, "sh", "sleep 0.3", f"touch {hung_up}", str(private)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert guardian.stdin is not None and guardian.stdout is not None
    guardian.stdout.close()  # as our death would
    guardian.stdin.close()
    guardian.wait(10)
    wait_until(hung_up.exists)
    wait_until(lambda: not private.exists())


PROGRAM = """
import sys
import threading
from collections.abc import Sequence
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


@pytest.mark.parametrize("end", ["exit", "interrupt", "kill"])
def test_the_connection_ends_with_the_process(
    desk: Desk, ssh_remote: BareRepository, end: str
) -> None:
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
        (left,) = ours()
        place = socket_of(left).parent
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        if end == "interrupt":
            program.send_signal(signal.SIGINT)
        elif end == "kill":  # with all its children, as when a job is cancelled
            for child in psutil.Process(program.pid).children(recursive=True):
                child.kill()
            program.kill()
        program.communicate("\n")
    left.wait(10)
    wait_until(lambda: not place.exists(), "the end of the private directory")


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


def test_the_users_own_sharing_is_used(
    desk: Desk, ssh_remote: BareRepository, tmp_path: Path
) -> None:
    """One connection for many commands; it is not ours to end."""
    where = tmp_path / "s"
    settings = f"ControlMaster auto\nControlPath {where}\nControlPersist 60\n"
    ssh = CountingSsh(tmp_path / "sharing", ssh_remote, settings=settings)
    sockets = set()
    for number in range(2):
        oid, remote = desk.commit(), fast(desk, ssh_remote, ssh)
        ref = f"refs/baton/tasks/t{number}"
        assert remote.push([RefUpdate(ref, None, oid)], atomic=False)[ref].state is DONE
        assert remote.list([ref]).refs == {ref: oid}
        remote.close()
        sockets.add(where.stat().st_ino)
    assert ssh.calls == ["ask", "git-receive-pack", "git-upload-pack"] * 2
    assert len(sockets) == 1
    assert ours() == []
    subprocess.run([ssh.env["GIT_SSH_COMMAND"], "-Oexit", "anybody"], check=True)
