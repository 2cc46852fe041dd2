"""Who is at the other end, and what it is told when it cannot talk."""

from __future__ import annotations

import os
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import Refused, RemoteUnreachable
from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import Unfit
from gitbaton.store.model import make_key
from gitbaton.store.sqlite import SqliteStore
from gitbaton.store.ssh import wire
from gitbaton.store.ssh.engine import SshStore
from gitbaton.store.ssh.serving import serve
from gitbaton.store.ssh.ways import PipeWay
from tests.contract.changes import created

ROOT = Path(__file__).parents[3]


class SshLike(PipeWay):
    """A way whose own failures have ssh's exit status."""

    def was_reached(self, status: int | None) -> bool:
        return status != 255


def script(text: str) -> SshStore:
    way = SshLike(["sh", "-c", text], dict(os.environ))
    return SshStore(way, clock=SystemClock(), patience=20)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("echo 'sh: baton: not found' >&2; exit 127", "no_baton"),
        ("echo \"Error: No such command 'store-serve'.\" >&2; exit 2", "old_baton"),
        ("echo 'Welcome!'; echo disk full >&2; exit 1", "no_server"),
        ("head -c 70000 /dev/zero; cat", "old_baton"),
        ('echo \'BATON-STORE {"protocol": 99, "version": "9.9"}\'; cat', "other_protocol"),
        ("echo 'BATON-STORE {nonsense'; cat", "old_baton"),
    ],
)
def test_a_side_that_cannot_talk_is_named(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        script(text).read()
    assert caught.value.code == code


def test_ssh_that_does_not_get_there_is_unreachable() -> None:
    with pytest.raises(RemoteUnreachable, match="No route to host"):
        script("echo 'ssh: No route to host' >&2; exit 255").read()


class Severed(PipeWay):
    """A way whose shared connection cannot be made."""

    def prepare(self, deadline: Deadline) -> Invocation:
        raise Unfit("ssh: Could not resolve hostname", lasting=False)


def test_a_connection_that_cannot_be_made_names_the_command_that_tries_it() -> None:
    way = Severed(["true"], dict(os.environ), place="rack9")
    with pytest.raises(RemoteUnreachable, match="rack9: ssh: Could not resolve") as caught:
        SshStore(way, clock=SystemClock(), patience=20).read()
    assert caught.value.next == "ssh rack9 baton --version"


def test_one_who_says_nothing_is_not_waited_for_for_ever() -> None:
    store = SshStore(SshLike(["sleep", "60"], dict(os.environ)), clock=SystemClock(), patience=0.2)
    with pytest.raises(RemoteUnreachable, match="in time"):
        store.read()


@pytest.mark.parametrize("banner", ["Welcome!", "line\\nBATON-STORES\\nno newline at the end"])
def test_words_of_a_login_shell_are_skipped(banner: str, tmp_path: Path) -> None:
    server = f"{sys.executable} -m tests.contract.pipeserver honest {tmp_path / 'store.db'}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    way = PipeWay(["sh", "-c", f"printf '{banner}'; exec {server}"], env, ROOT)
    store = SshStore(way, clock=SystemClock())
    created(store, make_key("locks", "a"), {"n": 1})
    assert len(store.read().records) == 1
    store.close()


@pytest.fixture
def served(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "store.db", clock=SystemClock())


def test_half_a_request_is_not_acted_upon(served: SqliteStore) -> None:
    """What makes "surely not sent" true."""
    change = wire.Change("n" * 32, {"locks/a": None}, {"locks/a": b"{}"}, "x", "ada", "a@b", False)
    frame = wire.encode_frame(wire.Commit((change,)))
    for cut in (1, 3, 4, 5, len(frame) - 1):
        serve(served, BytesIO(frame[:cut]), BytesIO(), version="test")
        assert served.read().records == {}
    serve(served, BytesIO(frame), BytesIO(), version="test")
    assert len(served.read().records) == 1
    served.close()


@given(st.binary(max_size=200))
def test_noise_is_no_request(noise: bytes) -> None:
    """I8: nothing but the protocol's own messages is understood."""
    try:
        request = wire.decode_request(noise)
    except wire.Garbled:
        return
    assert isinstance(request, wire.Message)


@pytest.mark.parametrize(
    "change",
    [
        wire.Change("n", {"../x": None}, {"../x": b"{}"}, "x", "ada", "a@b", False),
        wire.Change("n", {"locks/a": None}, {"locks/a": b"no json"}, "x", "ada", "a@b", False),
        wire.Change("n", {"locks/a": None}, {"locks/b": b"{}"}, "x", "ada", "a@b", False),
        wire.Change("n", {}, {}, "x", "ada", "a@b", False),
    ],
)
def test_a_request_that_is_wrong_is_answered_so(served: SqliteStore, change: wire.Change) -> None:
    """I8: and it changes nothing."""
    sink = BytesIO()
    serve(served, BytesIO(wire.encode_frame(wire.Commit((change,)))), sink, version="test")
    found = wire.find_greeting(sink.getvalue())
    assert found is not None
    reply = wire.decode_reply(found[1][wire.HEADER :])
    assert isinstance(reply, wire.Failed)
    assert served.read().records == {}
    served.close()
