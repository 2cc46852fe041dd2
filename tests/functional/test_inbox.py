"""``baton inbox``: messages between people, agents and machines, by hand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.plans.registry.record import Address, WorkerRecord, encode_worker
from gitbaton.store.sqlite import SqliteStore
from tests.contract.changes import created
from tests.functional.baton import COMMAND, Baton
from tests.integration.inbox.stage import Stage
from tests.servers.site import Site


@pytest.fixture
def desk(tmp_path: Path) -> Baton:
    """Somebody outside of every clone, with an inbox of their own."""
    place = tmp_path / "desk"
    place.mkdir()
    return Baton(place, {"BATON_INBOX": str(tmp_path / "inbox.sqlite")})


def test_a_message_is_sent_taken_and_answered(desk: Baton) -> None:
    sent = desk.ok("inbox", "send", ".", "what time is it?", "--from", "ada")
    assert sent == {"message": sent["message"], "copy": False, "response": None}
    (listed,) = desk.ok("inbox", "list")["messages"]
    assert (listed["state"], listed["from"]) == ("waiting", "ada")
    assert listed["text"] == "what time is it?"
    taken = desk.acting(BATON_AGENT="bob").ok("inbox", "wait")["message"]
    assert (taken["message"], taken["reader"], taken["delivery"]) == (sent["message"], "bob", 1)
    assert "token" not in desk.ok("inbox", "list")["messages"][0]
    answer = desk("inbox", "respond", taken["message"][:12], "noon", "--token", taken["token"])
    assert answer.status == 0
    assert desk.ok("inbox", "list")["messages"] == []
    (done,) = desk.ok("inbox", "list", "--all")["messages"]
    assert (done["state"], done["response"]["text"]) == ("answered", "noon")
    assert desk("inbox", "wait", "--for", sent["message"]).out == "noon\n"


def test_a_copy_is_answered_with_the_first_response(desk: Baton) -> None:
    words = ("inbox", "send", ".", "hello", "--from", "ada", "--id", "7")
    first = desk.ok(*words)
    desk.ok("inbox", "respond", first["message"], "hi", "--from", "bob")
    again = desk.ok(*words)
    assert (again["copy"], again["response"]["text"]) == (True, "hi")
    assert desk(*words).out == "hi\n"
    assert desk("inbox", "wait", "--timeout", "1s").status == 75
    other = desk("inbox", "send", ".", "other words", "--from", "ada", "--id", "7", "--json")
    assert (other.status, other.error["code"]) == (1, "id_reused")


def test_who_was_overtaken_is_told(desk: Baton) -> None:
    """I1: status 76, as for any claim."""
    message = desk.ok("inbox", "send", ".", "hello")["message"]
    late = desk.ok("inbox", "wait", "--lease", "0.01s", "--from", "late")["message"]
    desk.ok("inbox", "wait", "--from", "quick", "--timeout", "30s")
    refused = desk("inbox", "respond", message, "late", "--token", late["token"], "--json")
    assert (refused.status, refused.error["code"]) == (76, "claim_lost")
    nonsense = desk("inbox", "respond", message, "x", "--token", "nonsense", "--json")
    assert (nonsense.status, nonsense.error["code"]) == (2, "invalid")


def test_waiting_for_a_response(desk: Baton) -> None:
    sender = desk.start("inbox", "send", ".", "ping", "--wait", "--timeout", "60s")
    taken = desk.ok("inbox", "wait", "--timeout", "30s")["message"]
    desk.ok("inbox", "respond", taken["message"], "pong")
    out, _ = sender.communicate(timeout=30)
    assert (sender.returncode, out) == (0, "pong\n")
    unanswered = desk("inbox", "send", ".", "ping 2", "--wait", "--timeout", "0.2s", "--json")
    assert (unanswered.status, unanswered.error["code"]) == (75, "waiting")


def test_a_file_is_a_source_too(desk: Baton) -> None:
    file = desk.directory / "in.jsonl"
    file.write_text('{"id": "1", "from": "ci", "text": "from a file"}\n{broken\n')
    taken = desk.ok("inbox", "wait", "--inbox-file", "in.jsonl")["message"]
    assert (taken["from"], taken["text"]) == ("ci", "from a file")
    (reject,) = desk.ok("inbox", "list")["rejects"]
    assert (reject["path"], reject["line"]) == (str(file), "{broken")
    assert "no message" in desk("inbox", "list").out


def test_a_clone_reads_what_is_sent_to_its_path(desk: Baton, baton: Baton) -> None:
    clone = Baton(baton.directory, desk.env)
    desk.ok("inbox", "send", f".:{baton.directory}", "for the clone")
    assert desk("inbox", "wait", "--timeout", "0.1s").status == 75
    assert clone.ok("inbox", "wait")["message"]["text"] == "for the clone"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("send", ".", ""), 2),
        (("send", "."), 2),
        (("send", "-oProxyCommand=id", "x"), 2),
        (("send", ".", "x", "--file", "y"), 2),
        (("send", ".", "x", "--from", "<a>"), 2),
        (("send", ".", "--task", "../x"), 2),
        (("respond", "abcdef", "x"), 1),
        (("wait", "--for", "abcdef"), 1),
    ],
)
def test_what_is_refused(desk: Baton, words: tuple[str, ...], status: int) -> None:
    """I8."""
    answer = desk("inbox", *words, "--json") if words[1][0] != "-" else desk("inbox", *words)
    assert answer.status == status, answer
    assert desk.ok("inbox", "list")["messages"] == []


def test_what_a_message_says_cannot_steer_a_terminal(desk: Baton) -> None:
    """I8."""
    desk.ok("inbox", "send", ".", "\x1b[2J evil", "--from", "ada")
    assert "\x1b" not in desk("inbox", "list").out
    assert "\x1b" not in desk("inbox", "wait").out


def test_an_inbox_on_another_host(tmp_path: Path, ssh_remotes: Site, desk: Baton) -> None:
    stage = Stage.make(tmp_path, ssh_remotes)
    far = Baton(desk.directory, {**stage.env, "BATON_INBOX": str(tmp_path / "not-this-one")})
    address = stage.address(ssh_remotes.port)
    sent = far.ok("inbox", "send", address, "hello over there", "--task", "t1", "--epoch", "3")
    taken = desk.ok("inbox", "wait")["message"]
    assert (taken["message"], taken["task"], taken["epoch"]) == (sent["message"], "t1", 3)
    desk.ok("inbox", "respond", taken["message"], "hello yourself")
    waited = far.ok("inbox", "wait", "--for", sent["message"][:12], "--at", address)
    assert waited["response"]["text"] == "hello yourself"
    gone = far("inbox", "send", f"ssh://{stage.user}@127.0.0.1:1", "x", "--json")
    assert (gone.status, gone.error["code"]) == (69, "unreachable")


def test_a_worker_is_an_address(
    tmp_path: Path, ssh_remotes: Site, desk: Baton, baton: Baton
) -> None:
    """Its record says where it is, and what baton is called there."""
    stage = Stage.make(tmp_path, ssh_remotes)
    program = tmp_path / "there's baton"
    program.write_text(f'#!/bin/sh\nexec {stage.env["BATON_REMOTE_COMMAND"]} "$@"\n')
    program.chmod(0o755)
    clone = Baton(baton.directory, {**stage.env, "BATON_REMOTE_COMMAND": "not-this-one"})
    host = f"{stage.user}@127.0.0.1"
    address = Address(host=host, path="/srv/shop", port=ssh_remotes.port, program=str(program))
    store = SqliteStore(baton.directory / ".git/baton/store.sqlite", clock=SystemClock())
    worker = WorkerRecord(name="gpu-1", machine="gpu", address=address)
    created(store, worker.key, encode_worker(worker))
    store.close()
    clone.ok("init", "--sqlite")
    clone.ok("inbox", "send", "gpu-1", "hello")
    (listed,) = desk.ok("inbox", "list")["messages"]
    assert (listed["text"], listed["to"]) == ("hello", "/srv/shop")


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff"])
def test_the_server_serves_nothing_else(desk: Baton, noise: bytes) -> None:
    """I8: no path and no command can be given; what is no request is refused."""
    done = subprocess.run(
        [*COMMAND, "store-serve", "--inbox"],
        cwd=desk.directory,
        env=desk.environment(),
        input=noise,
        capture_output=True,
        check=False,
        timeout=60,
    )
    greeting = json.loads(done.stdout.removeprefix(b"\nBATON-STORE "))
    assert greeting["protocol"] == 1
    refused = b"something else" in done.stderr
    assert (done.returncode, refused) == ((1, True) if noise else (0, False))
    assert desk("store-serve").status == 2
    assert desk("store-serve", "--inbox", "/etc/passwd").status == 2
    assert "store-serve" not in desk("--help").out


def test_the_inbox_is_at_home_and_for_nobody_else(tmp_path: Path, desk: Baton) -> None:
    """Whatever XDG_STATE_HOME says: a command that ssh starts does not know it."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "BATON_INBOX": "", "XDG_STATE_HOME": "/nowhere"}
    ada = Baton(desk.directory, env)
    ada.ok("inbox", "send", ".", "hello", "--from", "ada")
    file = home / ".local" / "state" / "gitbaton" / "inbox.sqlite"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
