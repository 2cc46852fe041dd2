"""One delivery: commands and webhooks that work, fail, hang or lead elsewhere."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitbaton.hooks.command import run_command
from gitbaton.hooks.event import Event
from gitbaton.hooks.failure import DeliveryFailed
from gitbaton.hooks.hook import Command, Webhook
from gitbaton.hooks.webhook import post
from tests.servers.ports import free_port
from tests.unit.hooks.receiver import Receiver, receiving

EVENT = Event(id="a" * 32, event="alert", at="2026-05-07T03:12:00Z", text="$(reboot) 'x'")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def run(tmp_path: Path, text: str, *, timeout: float = 20.0, **env: str) -> None:
    """Run a hook that is a shell script with this text."""
    script = tmp_path / "hook.sh"
    script.write_text(text)
    command = Command(("/bin/sh", str(script)))
    path = {"PATH": "/usr/bin:/bin"}
    run_command(command, EVENT, timeout=timeout, env={**path, **env}, directory=tmp_path)


def test_a_command_gets_the_event(tmp_path: Path) -> None:
    """I8: the text reaches it as data, on its standard input."""
    run(tmp_path, "cat > event; env > env; pwd > where", BATON_TOKEN="t", OTHER="o")
    assert json.loads((tmp_path / "event").read_text())["text"] == "$(reboot) 'x'"
    lines = (tmp_path / "env").read_text().splitlines()
    assert {"BATON_EVENT=alert", f"BATON_EVENT_ID={'a' * 32}", "OTHER=o"} <= set(lines)
    assert not any(line.startswith("BATON_TOKEN") for line in lines)
    assert (tmp_path / "where").read_text().strip() == str(tmp_path)


def test_a_command_that_does_not_read_is_no_failure(tmp_path: Path) -> None:
    run(tmp_path, "exit 0")


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed, match="exit status 3: no such channel") as caught:
        run(tmp_path, "echo no such channel >&2; exit 3")
    assert not caught.value.lasting


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed, match="longer than"):
        run(tmp_path, "sleep 60 & sleep 60", timeout=0.2)


def test_a_child_that_outlives_the_command_holds_nothing_up(tmp_path: Path) -> None:
    run(tmp_path, "(sleep 2) & exit 0")


def test_a_command_that_is_not_there_fails_for_good(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        run_command(Command(("/no/such",)), EVENT, timeout=5, env={}, directory=tmp_path)
    assert caught.value.lasting


def send(receiver: Receiver, *, timeout: float = 20.0, form: Any = "json", **env: str) -> None:
    post(Webhook(receiver.url, form), EVENT, timeout=timeout, env=env)


def test_a_webhook_is_posted_the_event(receiver: Receiver) -> None:
    send(receiver)
    send(receiver, form="slack")
    assert receiver.posts[0] == {
        "id": EVENT.id,
        "event": "alert",
        "at": EVENT.at,
        "text": EVENT.text,
    }
    assert receiver.posts[1] == {"text": "*alert*: $(reboot) 'x'"}
    assert receiver.paths[0] == "/hook/s3cret?token=x"
    assert receiver.headers[0]["X-Baton-Event-Id"] == EVENT.id


@pytest.mark.parametrize(
    ("status", "lasting"), [(500, False), (503, False), (429, False), (404, True), (410, True)]
)
def test_what_a_webhook_answers(receiver: Receiver, status: int, lasting: bool) -> None:
    receiver.status(status)
    with pytest.raises(DeliveryFailed, match=str(status)) as caught:
        send(receiver)
    assert caught.value.lasting is lasting
    assert "s3cret" not in caught.value.message


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.redirect(elsewhere.url)
        with pytest.raises(DeliveryFailed, match="redirect") as caught:
            send(receiver)
        assert caught.value.lasting
        assert elsewhere.posts == []


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_webhook_that_gives_no_whole_answer_holds_nobody(receiver: Receiver, how: str) -> None:
    getattr(receiver, how)()
    with pytest.raises(DeliveryFailed, match=r"no answer within 0\.3 seconds") as caught:
        send(receiver, timeout=0.3)
    assert not caught.value.lasting


def test_nobody_listens() -> None:
    webhook = Webhook(f"http://127.0.0.1:{free_port()}/s3cret")
    with pytest.raises(DeliveryFailed) as caught:
        post(webhook, EVENT, timeout=5, env={})
    assert "s3cret" not in caught.value.message
    assert not caught.value.lasting


def test_a_proxy_of_the_environment_is_used(receiver: Receiver) -> None:
    proxy = receiver.url.partition("/hook")[0]
    webhook = Webhook("http://hooks.example.org/x")
    post(webhook, EVENT, timeout=5, env={"http_proxy": proxy})
    assert receiver.paths == ["http://hooks.example.org/x"]


def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    import socket
    import threading

    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    read: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as plain:
                try:
                    with tls.wrap_socket(plain, server_side=True) as secure:
                        read.append(secure.recv(10_000))
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{listening.getsockname()[1]}/s3cret"
        with pytest.raises(DeliveryFailed, match="certificate is not trusted"):
            post(Webhook(url), EVENT, timeout=10, env={"GIT_SSL_NO_VERIFY": "1"})
        thread.join()
    assert read == [], "the secret was told to nobody"
