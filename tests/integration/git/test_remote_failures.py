"""Each transport and bad luck: what is known afterwards, and what is not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.git.failures import RepositoryMissing
from gitbaton.git.remote import PushState, RefUpdate, Remote
from tests.integration.git.desk import Desk
from tests.integration.git.gates import stopping
from tests.servers.httpd import Fault, failing
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.relay import relay
from tests.servers.site import BareRepository

X, Y = "refs/baton/tasks/x", "refs/baton/tasks/y"


def test_a_missing_repository(desk: Desk, server: BareRepository) -> None:
    url = server.url.replace(server.path.name, "nowhere.git")
    remote, oid = desk.remote(server, url=url), desk.commit()
    with pytest.raises(RepositoryMissing):
        remote.list(["refs/"])
    with pytest.raises(RepositoryMissing):
        remote.fetch({X: oid})
    with pytest.raises(RepositoryMissing) as caught:
        remote.push([RefUpdate(X, None, oid)], atomic=False)
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password(desk: Desk, http_remote: BareRepository) -> None:
    remote = desk.remote(http_remote, url=http_remote.url.replace("s3cret", "wr0ng"))
    _assert_refused(desk, remote, http_remote)
    assert "wr0ng" not in remote.url


def test_no_password_and_nobody_to_ask(desk: Desk, http_remote: BareRepository) -> None:
    remote = desk.remote(http_remote, url=http_remote.url.replace("agent:s3cret@", ""))
    _assert_refused(desk, remote, http_remote)


def test_a_key_that_the_server_does_not_know(
    desk: Desk, ssh_remote: BareRepository, tmp_path: Path
) -> None:
    command = ssh_remote.env["GIT_SSH_COMMAND"]
    key = command.split("IdentityFile=")[1].split(" ")[0]
    stranger = {"GIT_SSH_COMMAND": command.replace(key, str(tmp_path / "no-key"))}
    remote = desk.remote(ssh_remote, env=stranger)
    _assert_refused(desk, remote, ssh_remote)


def _assert_refused(desk: Desk, remote: Remote, server: BareRepository) -> None:
    oid = desk.commit()
    with pytest.raises(HostRefused):
        remote.list(["refs/"])
    with pytest.raises(HostRefused):
        remote.fetch({X: oid})
    fates = remote.push([RefUpdate(X, None, oid), RefUpdate(Y, None, oid)], atomic=True)
    assert {fate.state for fate in fates.values()} == {PushState.REFUSED}
    assert server.refs() == {}


def test_reading_is_allowed_and_pushing_is_not(desk: Desk, http_remote: BareRepository) -> None:
    http_remote.configure("http.receivepack", "false")
    remote, oid = desk.remote(http_remote), desk.commit()
    assert remote.list(["refs/"]).refs == {}
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is PushState.REFUSED


@pytest.mark.parametrize("scheme", ["ssh", "http", "git"])
def test_nobody_listens(
    desk: Desk, ssh_remote: BareRepository, http_remote: BareRepository, scheme: str
) -> None:
    url = f"{scheme}://{LOCALHOST}:{free_port()}/x.git"
    remote, oid = desk.remote(ssh_remote, url=url), desk.commit()
    with pytest.raises(RemoteUnreachable):
        remote.list(["refs/"])
    with pytest.raises(RemoteUnreachable):
        remote.fetch({X: oid})
    with pytest.raises(RemoteUnreachable):
        remote.push([RefUpdate(X, None, oid)], atomic=False)


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_the_server_is_killed_before_it_moved_anything(
    desk: Desk, server: BareRepository, hook: str
) -> None:
    server.hook(hook, "kill -9 $PPID")
    oid = desk.commit()
    fates = desk.remote(server).push(
        [RefUpdate(X, None, oid), RefUpdate(Y, None, oid)], atomic=True
    )
    assert {fate.state for fate in fates.values()} == {PushState.UNKNOWN}
    assert server.refs() == {}


def test_the_server_is_killed_after_it_moved_the_refs(desk: Desk, server: BareRepository) -> None:
    server.hook("reference-transaction", '[ "$1" != committed ] || kill -9 $PPID')
    oid = desk.commit()
    fates = desk.remote(server).push(
        [RefUpdate(X, None, oid), RefUpdate(Y, None, oid)], atomic=True
    )
    assert {fate.state for fate in fates.values()} == {PushState.UNKNOWN}
    assert server.refs() == {X: oid, Y: oid}


@pytest.mark.parametrize("kind", ["ssh", "http"])
def test_the_link_is_cut_in_the_middle_of_a_push(
    desk: Desk, request: pytest.FixtureRequest, kind: str
) -> None:
    server: BareRepository = request.getfixturevalue(f"{kind}_remote")
    oid = desk.commit()
    assert server.site.port is not None
    with relay(server.site.port) as link, stopping(server, "pre-receive") as gate:
        remote = desk.remote(server, url=server.through(link.port))

        def cut() -> None:
            gate.wait()
            link.cut()

        cutter = threading.Thread(target=cut)
        cutter.start()
        fates = remote.push([RefUpdate(X, None, oid)], atomic=False)
        cutter.join()
    assert fates[X].state is PushState.UNKNOWN


@pytest.mark.parametrize("kind", ["ssh", "http"])
def test_a_silent_link_is_given_up_in_time(
    desk: Desk, request: pytest.FixtureRequest, kind: str
) -> None:
    server: BareRepository = request.getfixturevalue(f"{kind}_remote")
    oid = desk.commit()
    assert server.site.port is not None
    with relay(server.site.port) as link:
        link.silence()
        remote = desk.remote(
            server, url=server.through(link.port), listing_timeout=1.0, push_timeout=1.0
        )
        with pytest.raises(RemoteUnreachable, match="did not answer"):
            remote.list(["refs/"])
        with pytest.raises(RemoteUnreachable, match="did not answer"):
            remote.fetch({X: oid})
        if kind == "ssh" and desk.transport == "fast":
            # The connection comes first there, so it is certain that nothing was sent.
            with pytest.raises(RemoteUnreachable, match="did not answer"):
                remote.push([RefUpdate(X, None, oid)], atomic=False)
        else:
            fates = remote.push([RefUpdate(X, None, oid)], atomic=False)
            assert fates[X].state is PushState.UNKNOWN


def test_a_push_that_takes_too_long_is_unknown(desk: Desk, server: BareRepository) -> None:
    oid = desk.commit()
    with stopping(server, "pre-receive"):
        remote = desk.remote(server, push_timeout=3.0)
        assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is PushState.UNKNOWN


def test_a_passing_failure_of_a_question_is_tried_again(
    desk: Desk, http_remote: BareRepository
) -> None:
    oid = desk.commit()
    remote = desk.remote(http_remote)
    remote.push([RefUpdate(X, None, oid)], atomic=False)
    with failing(f"{http_remote.path.name}/", "drop-request", times=1) as struck:
        assert dict(remote.list(["refs/"]).refs) == {X: oid}
    assert len(struck) == 1
    with (
        failing(f"{http_remote.path.name}/", "busy") as struck,
        pytest.raises(RemoteUnreachable),
    ):
        remote.list(["refs/"])
    # By plain git three times; before that by the fast transport, as it used to be answered.
    assert len([url for url in struck if "/info/refs" in url]) == 3


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [("busy", False), ("drop-request", False), ("drop-answer", True)],
)
def test_a_push_whose_answer_is_lost_is_unknown(
    desk: Desk, http_remote: BareRepository, fault: Fault, arrives: bool
) -> None:
    oid = desk.commit()
    remote = desk.remote(http_remote)
    with failing(f"{http_remote.path.name}/git-receive-pack", fault):
        fate = remote.push([RefUpdate(X, None, oid)], atomic=False)[X]
    assert fate.state is PushState.UNKNOWN
    assert http_remote.refs() == ({X: oid} if arrives else {})


@pytest.mark.parametrize("atomic", [False, True])
def test_a_push_whose_answer_is_lost_once_is_unknown_and_done(
    desk: Desk, http_remote: BareRepository, atomic: bool
) -> None:
    oid = desk.commit()
    remote = desk.remote(http_remote)
    remote.list(["refs/"])  # the password has been asked for
    with failing(f"{http_remote.path.name}/git-receive-pack", "drop-answer", times=1) as struck:
        fates = remote.push([RefUpdate(X, None, oid), RefUpdate(Y, None, oid)], atomic=atomic)
    assert len(struck) == 1
    assert http_remote.refs() == {X: oid, Y: oid}  # by the first request
    assert {fate.state for fate in fates.values()} == {PushState.UNKNOWN}
    if desk.transport == "plain":
        # libcurl has sent it again by itself: this is the server's answer to the second one.
        assert "fail" in fates[X].reason


def test_a_host_that_forbids_the_push_itself(desk: Desk, http_remote: BareRepository) -> None:
    oid = desk.commit()
    with failing(f"{http_remote.path.name}/git-receive-pack", "forbid"):
        fate = desk.remote(http_remote).push([RefUpdate(X, None, oid)], atomic=False)[X]
    assert fate.state is PushState.REFUSED


def test_an_object_that_we_do_not_have_is_never_half_pushed(
    desk: Desk, server: BareRepository
) -> None:
    there = desk.commit()
    missing = type(there)("1" * 40)
    fates = desk.remote(server).push(
        [RefUpdate(X, None, there), RefUpdate(Y, None, missing)], atomic=True
    )
    assert {fate.state for fate in fates.values()} <= {PushState.UNKNOWN, PushState.REFUSED}
    assert server.refs() == {}


def test_a_server_that_will_not_store_the_objects_refuses(
    desk: Desk, server: BareRepository
) -> None:
    server.configure("receive.maxInputSize", "1")
    fates = desk.remote(server).push(
        [RefUpdate(X, None, desk.commit()), RefUpdate(Y, None, desk.commit())], atomic=True
    )
    assert PushState.DONE not in {fate.state for fate in fates.values()}
    assert server.refs() == {}
