"""The fast transport over http and https: how many requests, with what, and when git takes over."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.fast.webconfig import basic
from gitbaton.git.remote import PushState, RefUpdate
from tests.integration.git.desk import Desk
from tests.integration.git.fast.webserver import Proxy, WatchedSite, watched_site
from tests.needs import needs
from tests.servers.site import BareRepository

X, Y = "refs/baton/tasks/x", "refs/heads/y"
DONE, UNKNOWN = PushState.DONE, PushState.UNKNOWN
PUSH, LIST = "POST git-receive-pack", "POST git-upload-pack"
LOOK = "GET refs?service=git-receive-pack"


@pytest.fixture
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSite]:
    """A server that lets everybody in."""
    needs("http-backend")
    with watched_site(tmp_path_factory.mktemp("web")) as site:
        yield site


@pytest.fixture
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSite]:
    """One that speaks https and wants a password."""
    needs("http-backend")
    needs("openssl")
    root = tmp_path_factory.mktemp("secure")
    with watched_site(root, users={"agent": "s3cret"}, secure=True) as site:
        yield site


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy that forwards everything."""
    running = Proxy()
    yield running
    running.close()


def fast(desk: Desk, server: BareRepository, **options: str) -> FastRemote:
    remote = desk.remote(server, url=options.pop("url", None), env=options)
    assert isinstance(remote, FastRemote)
    return remote


def with_password(server: BareRepository) -> str:
    return server.url.replace("://", "://agent:s3cret@")


def test_one_request_for_each_call_on_one_connection(desk: Desk, web: WatchedSite) -> None:
    first, second = desk.commit(), desk.commit()
    remote = fast(desk, web.fresh())
    assert remote.list(["refs/"]).refs == {}
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(X, first, second)], atomic=False)[X].state is DONE
    assert remote.list(["refs/"]).refs == {X: second}
    assert web.server.asked == [LIST, PUSH, PUSH, LIST]
    assert web.server.connections == 1


def test_dependent_refs_cost_a_look_each_time(desk: Desk, web: WatchedSite) -> None:
    first, second = desk.commit(), desk.commit()
    remote = fast(desk, web.fresh())
    for old, new in ((None, first), (first, second)):
        fates = remote.push([RefUpdate(X, old, new), RefUpdate(Y, old, new)], atomic=True)
        assert {fate.state for fate in fates.values()} == {DONE}
    assert web.server.asked == [LOOK, PUSH] * 2
    assert web.server.connections == 1


def test_a_connection_that_the_server_has_closed_is_not_used(desk: Desk, web: WatchedSite) -> None:
    oid, remote = desk.commit(), fast(desk, web.fresh())
    remote.list(["refs/"])
    web.server.hang_up()
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert web.server.connections == 2
    assert web.server.asked == [LIST, PUSH]


def test_a_connection_that_breaks_under_a_push_is_unknown_and_that_is_all(
    desk: Desk, web: WatchedSite
) -> None:
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)
    remote.list(["refs/"])

    def cut(handler: BaseHTTPRequestHandler) -> bool:
        web.server.hang_up()
        return True

    web.server.instead = cut
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is UNKNOWN
    assert web.server.asked == [LIST, PUSH]
    assert server.refs() == {}


def test_https_and_a_password(desk: Desk, secure: WatchedSite) -> None:
    server, oid = secure.fresh(), desk.commit()
    remote = fast(desk, server, url=with_password(server))
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert remote.list(["refs/"]).refs == {X: oid}
    # The password stands in the address, so it is not waited for the server to ask.
    assert secure.server.asked == [PUSH, LIST]
    assert secure.server.connections == 1
    assert remote.why_plain is None


def test_a_certificate_that_is_not_believed(desk: Desk, secure: WatchedSite) -> None:
    server, oid = secure.fresh(), desk.commit()
    remote = fast(desk, server, url=with_password(server), GIT_SSL_CAINFO="/dev/null")
    with pytest.raises(RemoteUnreachable, match="ertificate"):
        remote.push([RefUpdate(X, None, oid)], atomic=False)
    assert remote.why_plain is not None
    assert secure.server.asked == []
    assert server.refs() == {}


def test_a_helper_is_asked_once_and_told_that_it_was_right(
    desk: Desk, secure: WatchedSite, tmp_path: Path
) -> None:
    server, oid = secure.fresh(), desk.commit()
    log = _helper(desk, tmp_path, "s3cret")
    remote = fast(desk, server)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(Y, None, oid)], atomic=False)[Y].state is DONE
    assert secure.server.asked == [PUSH, PUSH, PUSH]  # the first one was asked for a password
    assert log.read_text().split() == ["get", "store"]


def test_a_server_that_has_asked_for_a_password_is_not_left_to_ask_again(
    desk: Desk, secure: WatchedSite, tmp_path: Path
) -> None:
    server, oid = secure.fresh(), desk.commit()
    log = _helper(desk, tmp_path, "s3cret")
    assert fast(desk, server).push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    later = fast(desk, server)  # as the next command has it
    assert later.push([RefUpdate(Y, None, oid)], atomic=False)[Y].state is DONE
    assert secure.server.asked == [PUSH, PUSH, PUSH]
    assert log.read_text().split() == ["get", "store", "get", "store"]


def test_what_was_remembered_is_forgotten_with_the_credentials(
    desk: Desk, secure: WatchedSite, tmp_path: Path
) -> None:
    """Newer git insists on credentials where the setting stands, asked for or not."""
    server = secure.fresh()
    _helper(desk, tmp_path, "s3cret")
    assert fast(desk, server).list(["refs/"]).refs == {}
    assert "proactiveauth" in desk.git.run("config", "--list").text
    desk.git.run("config", "--unset", "credential.helper")
    with pytest.raises(BatonError):
        fast(desk, server).list(["refs/"])
    assert "proactiveauth" not in desk.git.run("config", "--list").text


def test_what_was_remembered_and_is_wrong_by_now(
    desk: Desk, secure: WatchedSite, tmp_path: Path
) -> None:
    server, oid = secure.fresh(), desk.commit()
    _helper(desk, tmp_path, "s3cret")
    assert fast(desk, server).list(["refs/"]).refs == {}
    log = _helper(desk, tmp_path, "ch4nged")
    remote = fast(desk, server)
    fate = remote.push([RefUpdate(X, None, oid)], atomic=False)[X]
    assert fate.state is PushState.REFUSED
    assert log.read_text().split()[2:4] == ["get", "erase"]
    assert server.refs() == {}


def test_without_a_helper_the_server_is_asked_as_before(
    desk: Desk, web: WatchedSite, secure: WatchedSite
) -> None:
    """The setting says that credentials *may* be sent, not that there are any."""
    desk.git.run("config", "http.proactiveAuth", "basic")
    server, oid = web.fresh(), desk.commit()
    assert fast(desk, server).push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert web.server.asked == [PUSH]
    assert (
        fast(desk, secure.fresh()).push([RefUpdate(X, None, oid)], atomic=False)[X].state
        is not DONE
    )


def test_a_password_is_not_volunteered_without_encryption(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    needs("http-backend")
    _helper(desk, tmp_path, "s3cret")
    with watched_site(tmp_path_factory.mktemp("open"), users={"agent": "s3cret"}) as site:
        server, oid = site.fresh(), desk.commit()
        for ref in (X, Y):
            remote = fast(desk, server)
            assert remote.push([RefUpdate(ref, None, oid)], atomic=False)[ref].state is DONE
        assert site.server.asked == [PUSH] * 4


def test_a_helper_that_was_wrong_is_told_and_git_takes_over(
    desk: Desk, secure: WatchedSite, tmp_path: Path
) -> None:
    server, oid = secure.fresh(), desk.commit()
    log = _helper(desk, tmp_path, "wr0ng")
    remote = fast(desk, server)
    fate = remote.push([RefUpdate(X, None, oid)], atomic=False)[X]
    assert fate.state is PushState.REFUSED
    assert remote.why_plain is not None
    assert log.read_text().split()[:2] == ["get", "erase"]
    assert server.refs() == {}


def _helper(desk: Desk, place: Path, password: str) -> Path:
    script, log = place / "helper", place / "helper.log"
    script.write_text(
        f'#!/bin/sh\necho "$1" >>{log}\n[ "$1" = get ] || exit 0\n'
        f"echo username=agent\necho password={password}\n"
    )
    script.chmod(0o755)
    desk.git.run("config", "credential.helper", str(script))
    return log


def test_an_extra_header_is_sent_along(desk: Desk, secure: WatchedSite) -> None:
    server, oid = secure.fresh(), desk.commit()
    header = f"Authorization: {basic('agent', 's3cret')}"
    desk.git.run("config", f"http.{server.url.rpartition('/')[0]}/.extraHeader", header)
    remote = fast(desk, server)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert secure.server.asked == [PUSH]


@pytest.mark.parametrize("kind", ["web", "secure"])
def test_through_a_proxy(
    desk: Desk, proxy: Proxy, request: pytest.FixtureRequest, kind: str
) -> None:
    site: WatchedSite = request.getfixturevalue(kind)
    server, oid = site.fresh(), desk.commit()
    desk.git.run("config", "http.proxy", f"http://me:pw@127.0.0.1:{proxy.port}")
    remote = fast(desk, server, url=with_password(server) if kind == "secure" else server.url)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert remote.list(["refs/"]).refs == {X: oid}
    assert site.server.asked == [PUSH, LIST]
    assert len(proxy.heads) == 1
    assert f"Proxy-Authorization: {basic('me', 'pw')}" in proxy.heads[0]
    assert proxy.heads[0].startswith("CONNECT" if kind == "secure" else "POST http://")
    if kind == "secure":
        assert basic("agent", "s3cret") not in proxy.heads[0]


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 413, 421, 501, 511])
def test_what_was_not_processed_goes_to_git_and_is_remembered(
    desk: Desk, web: WatchedSite, status: int
) -> None:
    server, first, second = web.fresh(), desk.commit(), desk.commit()
    remote, answered = fast(desk, server), list[str]()

    def once(handler: BaseHTTPRequestHandler) -> bool:
        if answered or handler.command != "POST":
            return False
        answered.append(handler.path)
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(status)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    web.server.instead = once
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(X, first, second)], atomic=False)[X].state is DONE
    assert server.refs() == {X: second}
    assert web.server.asked == [PUSH, LOOK, PUSH, LOOK, PUSH]
    assert f"HTTP {status}" in (remote.why_plain or "")


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"000eunpack ok\n"])
def test_an_answer_that_is_no_report_is_unknown(desk: Desk, web: WatchedSite, body: bytes) -> None:
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)

    def portal(handler: BaseHTTPRequestHandler) -> bool:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-git-receive-pack-result")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    web.server.instead = portal
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is UNKNOWN
    assert web.server.asked == [PUSH]


def answering(
    status: int, body: bytes = b"", *, first: int | None = None, **headers: str
) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Answer so in place of git: the ``first`` times only, or always."""
    times: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        if len(times) == first:
            return False
        times.append(handler.path)
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return answer


PACKED = {"Content_Type": "application/x-git-receive-pack-result", "Content_Encoding": "gzip"}


@pytest.mark.parametrize("headers", [{"Content_Type": "text/html"}, PACKED, {}])
def test_an_answer_of_another_kind_is_unknown_and_git_takes_over(
    desk: Desk, web: WatchedSite, headers: dict[str, Any]
) -> None:
    server, first, second = web.fresh(), desk.commit(), desk.commit()
    remote = fast(desk, server)
    web.server.instead = answering(200, b"000eunpack ok\n", first=1, **headers)
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is UNKNOWN
    assert remote.push([RefUpdate(X, None, second)], atomic=False)[X].state is DONE
    assert remote.why_plain is not None
    assert web.server.asked == [PUSH, LOOK, PUSH]


@pytest.mark.parametrize("known", [False, True])
def test_a_login_page_in_place_of_a_listing(desk: Desk, web: WatchedSite, known: bool) -> None:
    """Git would read it as a list of no refs: a captive portal would make everything vanish."""
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)
    remote.push([RefUpdate(X, None, oid)], atomic=False)
    if known:
        remote.list(["refs/"])
    web.server.instead = answering(200, b"<html>Please log in</html>", Content_Type="text/html")
    with pytest.raises(RemoteUnreachable, match="no git server"):
        remote.list(["refs/"])
    web.server.instead = lambda handler: False
    assert remote.list(["refs/"]).refs == {X: oid}
    assert remote.why_plain is None


def test_a_listing_that_was_packed_unasked_is_left_to_git(desk: Desk, web: WatchedSite) -> None:
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)
    remote.push([RefUpdate(X, None, oid)], atomic=False)
    names = ("upload-pack-result", "upload-pack-advertisement")
    answers = [
        answering(
            200, b"?", first=1, Content_Type=f"application/x-git-{name}", Content_Encoding="x"
        )
        for name in names
    ]
    web.server.instead = lambda handler: any(answer(handler) for answer in answers)
    assert remote.list(["refs/"]).refs == {X: oid}
    assert remote.why_plain is not None


def test_a_busy_server_is_asked_again_the_next_time(desk: Desk, web: WatchedSite) -> None:
    server, first, second = web.fresh(), desk.commit(), desk.commit()
    remote = fast(desk, server)
    web.server.instead = answering(429, first=1)
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(X, first, second)], atomic=False)[X].state is DONE
    assert remote.why_plain is None
    assert web.server.asked == [PUSH, LOOK, PUSH, PUSH]


@pytest.mark.parametrize("interim", [b"102 Processing", b"103 Early Hints"])
def test_an_interim_answer_is_none_to_the_next_request(
    desk: Desk, web: WatchedSite, interim: bytes
) -> None:
    """The final answer comes later, on the same connection: whoever kept it would misread it."""
    server = web.fresh()
    first, second = desk.commit(), desk.commit()
    remote = fast(desk, server)

    def early(handler: BaseHTTPRequestHandler) -> bool:
        if web.server.asked == [PUSH]:
            handler.wfile.write(b"HTTP/1.1 " + interim + b"\r\n\r\n")
        return False

    web.server.instead = early
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is UNKNOWN
    web.server.instead = answering(503)
    with pytest.raises(RemoteUnreachable):  # not: done
        remote.push([RefUpdate(X, first, second)], atomic=False)
    assert remote.why_plain is not None


def test_a_connection_that_the_server_will_close_is_not_used(desk: Desk, web: WatchedSite) -> None:
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)
    web.server.instead = answering(503, Connection="close")
    with pytest.raises(RemoteUnreachable):
        remote.list(["refs/"])
    web.server.instead = lambda handler: False
    before = web.server.connections
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert web.server.connections == before + 1


def test_an_advertisement_that_was_cut_off_shows_no_refs(desk: Desk, web: WatchedSite) -> None:
    """By version 0 a listing that ends early would lose refs in silence."""
    server, oid = web.fresh(), desk.commit()
    fast(desk, server).push([RefUpdate(X, None, oid)], atomic=False)
    remote = fast(desk, server)
    head = b"001e# service=git-upload-pack\n0000"
    line = b"0" * 40 + b" capabilities^{}\0side-band-64k\n"
    cut = head + b"%04x" % (len(line) + 4) + line
    kind = "application/x-git-upload-pack-advertisement"
    refuse = answering(404, first=1)

    def old(handler: BaseHTTPRequestHandler) -> bool:
        return refuse(handler) or answering(200, cut, Content_Type=kind)(handler)

    web.server.instead = old
    with pytest.raises(RemoteUnreachable):
        remote.list(["refs/"])


def test_what_did_not_leave_whole_is_sent_again(desk: Desk, web: WatchedSite) -> None:
    """The server hangs up in the middle of a large request: it cannot have acted on it."""
    server, remote_times = web.fresh(), list[str]()
    big = desk.git.run("hash-object", "-w", "--stdin", stdin=os.urandom(8_000_000)).text
    tree = desk.git.run("mktree", stdin=f"100644 blob {big}\tbig\n".encode()).text
    oid = Oid(desk.git.run("commit-tree", tree, "-m", "big").text)
    remote = fast(desk, server)

    def hang_up(handler: BaseHTTPRequestHandler) -> bool:
        if remote_times or "receive-pack" not in handler.path or handler.command != "POST":
            return False
        remote_times.append(handler.path)
        handler.rfile.read(10)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return True

    web.server.instead = hang_up
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert remote.why_plain is None
    assert web.server.asked == [LOOK, PUSH, PUSH]


def test_a_server_that_does_not_know_version_2(desk: Desk, web: WatchedSite) -> None:
    server, oid = web.fresh(), desk.commit()
    remote = fast(desk, server)
    remote.push([RefUpdate(X, None, oid)], atomic=False)

    def forget(handler: BaseHTTPRequestHandler) -> bool:
        del handler.headers["Git-Protocol"]
        return False

    web.server.instead = forget
    for _ in range(2):
        assert remote.list(["refs/baton/"]).refs == {X: oid}
        assert remote.list(["refs/heads/"]).refs == {}
    discovered = "GET refs?service=git-upload-pack"
    assert web.server.asked[1:] == [LIST, *[discovered] * 4]
    assert remote.why_plain is None


def test_settings_that_are_not_followed_leave_everything_to_git(
    desk: Desk, web: WatchedSite
) -> None:
    server, oid = web.fresh(), desk.commit()
    desk.git.run("config", f"http.{server.url}.cookieFile", "/dev/null")
    remote = fast(desk, server)
    assert remote.push([RefUpdate(X, None, oid)], atomic=False)[X].state is DONE
    assert remote.why_plain is not None
    assert web.server.asked == [LOOK, PUSH]
