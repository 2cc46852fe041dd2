"""``baton sync``: what waited is sent, each entry meets its fate, and none is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def test_nothing_waits(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    with away(file_remote):
        sent = one.ok("sync", "--no-pull")
        assert sent == {"sent": [], "waiting": 0, "branch": None}, "nothing is asked of the remote"
        answer = one("sync", "--json")
        assert (answer.status, answer.json["branch"]) == (69, None)
    assert one("sync").out == "main: nothing new\n"


def test_a_remote_that_stays_away(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    with away(file_remote):
        one.ok("done", "t1")
        one.ok("add", "Two", "--id", "t2")
        answer = one("sync", "--json")
        assert answer.status == 69
        assert answer.json["waiting"] == 2
        assert [s["fate"] for s in answer.json["sent"]] == ["waiting", "waiting"]
        assert set(answer.json["error"]) == {"code", "message", "next"}
        human = one("sync")
        assert (human.status, human.out) == (69, "t1: land waiting\nt2: add waiting\n")
    assert one.ok("status")["waiting"] == 2
    assert "2 changes wait to be sent; next: baton sync" in one("status").out
    sent = one.ok("sync")
    assert sent["waiting"] == 0
    assert [(s["kind"], s["task"], s["fate"]) for s in sent["sent"]] == [
        ("land", "t1", "landed"),
        ("add", "t2", "added"),
    ]
    assert one.ok("status")["waiting"] == 0


def test_a_claim_reaped_meanwhile(clones: Clones, file_remote: BareRepository) -> None:
    """I2, I3: redone by another machine, the first one's work is rescued and not published."""
    one, two = clones("one"), clones("two")
    one.ok("claim", "t1", "--create", "--lease", "1s")
    commit = one.commit("work", "file", "mine\n")
    two.ok("reap")  # from this sight on it counts the lease
    with away(file_remote):
        assert one.ok("done", "t1", "--branch", "work")["queued"] is True
    watching = two.start("reap", "--watch", "--every", "1s", "--json")
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["task"]["id"] == "t1"
    watching.terminate()
    watching.communicate()
    two.ok("edit", "t1", "--title", "Again")
    answer = one("sync", "--json")
    assert answer.status == 0
    [sent] = answer.json["sent"]
    assert (sent["fate"], sent["epoch"]) == ("rescued", 1)
    assert sent["next"] == "baton rescue restore t1/1"
    refs = file_remote.refs()
    assert "refs/heads/work" not in refs
    assert refs[f"refs/baton/rescue/t1/1-{commit}"] == commit
    assert one("renew", "t1").status == 76, "the stored token is forgotten"


def test_an_id_taken_meanwhile(clones: Clones, file_remote: BareRepository) -> None:
    """What was to be added is not lost: it is in a file that `add --from` takes."""
    one, two = clones("one"), clones("two")
    one.ok("list")
    with away(file_remote):
        one.ok("add", "Mine", "--id", "t1", "--body", "in full", "--label", "x")
        one.ok("add", "After it", "--id", "t2", "--needs", "t1")
    two.ok("add", "Theirs", "--id", "t1")
    sent = one.ok("sync")["sent"]
    assert [s["fate"] for s in sent] == ["refused", "added"]
    assert "already exists" in sent[0]["text"]
    assert one.ok("show", "t1")["title"] == "Theirs"
    file = Path(sent[0]["next"].removeprefix("baton add --from "))
    draft = json.loads(file.read_text())
    assert draft == {"title": "Mine", "id": "t1", "body": "in full", "labels": ["x"], "priority": 2}
    file.write_text(json.dumps({**draft, "id": "t3"}))
    assert one.ok("add", "--from", str(file))["tasks"][0]["body"] == "in full"


def test_an_addition_that_had_arrived_is_added(clones: Clones, file_remote: BareRepository) -> None:
    """I4: the answer to the first try was lost; the second finds its tasks and is content."""
    one, two = clones("one"), clones("two")
    one.ok("list")
    with away(file_remote):
        one.ok("add", "Mine", "--id", "t1", "--label", "x")
    two.ok("add", "Mine", "--id", "t1", "--label", "x")  # the same person, so the same record
    two.ok("claim", "t1")
    assert [s["fate"] for s in one.ok("sync")["sent"]] == ["added"]


def test_needs_are_checked_when_it_is_sent(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("list")
    with away(file_remote):
        one.ok("add", "Mine", "--id", "t1", "--needs", "nothing-like-that")
    [sent] = one.ok("sync")["sent"]
    assert sent["fate"] == "refused"
    assert "needs 'nothing-like-that'" in sent["text"]
    assert one.ok("sync", "--no-pull") == {"sent": [], "waiting": 0, "branch": None}


def test_a_host_that_refuses_keeps_it_waiting(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    one.commit("work", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "work")
        one.ok("add", "Two", "--id", "t2")
        one.ok("add", "Three", "--id", "t3", "--needs", "t2")
    hook = file_remote.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no pushes on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    answer = one("sync", "--json")
    assert (answer.status, answer.json["waiting"]) == (77, 3)
    assert "no pushes on Fridays" in answer.json["error"]["message"]
    hook.unlink()
    assert [s["fate"] for s in one.ok("sync")["sent"]] == ["landed", "added", "added"]


def test_a_branch_that_the_host_refuses_goes_to_people(
    clones: Clones, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    commit = one.commit("work", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "work")
    hook = file_remote.path / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/work) echo never >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    assert [s["fate"] for s in one.ok("sync")["sent"]] == ["rescued"]
    shown = one.ok("show", "t1")
    assert shown["status"] == "blocked"
    assert "never" in shown["reason"]
    assert file_remote.refs()[f"refs/baton/rescue/t1/1-{commit}"] == commit
