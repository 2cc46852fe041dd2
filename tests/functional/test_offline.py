"""While the remote is away: what may wait goes to the outbox, and arrives later."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitbaton.core.clock import SystemClock
from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def send(clone: Baton) -> list[tuple[str, str, str]]:
    """Send what waits in the clone; return kind, task and fate of each entry."""
    return [(s["kind"], s["task"], s["fate"]) for s in clone.ok("sync")["sent"]]


def test_an_addition_waits_and_arrives_once(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("list")
    with away(file_remote):
        queued = one.ok("add", "Later", "--id", "t1")
        assert queued == {"queued": True, "id": "t1", "ids": ["t1"]}
        many = one.ok("add", "--from", "-", stdin='{"title": "A"}\n{"title": "B"}')
        assert many["queued"] is True
        assert len(many["ids"]) == 2
        assert one("add", "x", "--id", "No Good").status == 2, "what is wrong is not queued"
        claimed = one("claim", "--json")
        assert (claimed.status, claimed.error["next"] is not None) == (69, True)
    assert one.ok("list") == {"tasks": []}
    assert [fate for _, _, fate in send(one)] == ["added", "added"]
    assert {task["id"] for task in one.ok("list")["tasks"]} == {"t1", *many["ids"]}
    assert send(one) == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["block", "--reason", "why?"], "blocked"),
        (["fail", "--reason", "red"], "pending"),
        (["done", "--result", "fine"], "done"),
    ],
)
def test_the_end_of_a_claim_waits(
    clones: Clones, file_remote: BareRepository, words: list[str], status: str
) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    with away(file_remote):
        answer = one.ok(words[0], "t1", *words[1:])
        assert answer["queued"] is True
    assert one.ok("show", "t1")["status"] == "in-progress"
    assert len(send(one)) == 1
    assert one.ok("show", "t1")["status"] == status


def test_a_branch_waits_with_the_record(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    commit = one.commit("work", "file", "text\n")
    with away(file_remote):
        assert one("done", "t1", "--branch", "nope").status == 2
        assert one.ok("done", "t1", "--branch", "work")["queued"] is True
    one.git("checkout", "-q", "main")
    one.git("branch", "-D", "work")
    assert send(one) == [("land", "t1", "landed")]
    assert one.git("ls-remote", "origin", "refs/heads/work").startswith(commit)
    assert one.ok("show", "t1")["result"]["commit"] == commit


def test_what_comes_too_late_is_rescued(clones: Clones, file_remote: BareRepository) -> None:
    """I2 and I3: the claim was taken away meanwhile; the work is neither published nor lost."""
    one, two = clones("one"), clones("two")
    one.ok("claim", "t1", "--create")
    commit = one.commit("work", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "work")
    two.ok("cancel", "t1")
    assert send(one) == [("land", "t1", "rescued")]
    refs = one.git("ls-remote", "origin")
    assert "refs/heads/work" not in refs
    assert f"{commit}\trefs/baton/rescue/t1/1-{commit}" in refs


def test_a_landing_on_the_target_waits(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    commit = one.commit("main", "file", "text\n")
    with away(file_remote):
        assert one.ok("done", "t1", "--branch", "main")["queued"] is True
    assert send(one) == [("land", "t1", "landed")]
    assert one.git("ls-remote", "origin", "refs/heads/main").startswith(commit)


def test_the_target_only_moves_forward_afterwards_too(
    clones: Clones, file_remote: BareRepository
) -> None:
    one, two = clones("one"), clones("two")
    one.ok("claim", "t1", "--create")
    mine = one.commit("main", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "main")
    theirs = two.commit("main", "theirs", "theirs\n")
    two.git("push", "-q", "origin", "main")
    assert send(one) == [("land", "t1", "rescued")]
    refs = one.git("ls-remote", "origin")
    assert f"{theirs}\trefs/heads/main" in refs
    assert f"{mine}\trefs/baton/rescue/t1/1-{mine}" in refs


def test_the_land_rules_hold_for_what_waited(clones: Clones, file_remote: BareRepository) -> None:
    """I9: what the project allows is asked when it lands, not when it was queued."""
    one = clones("one")
    one.ok("claim", "t1", "--create")
    one.commit("work", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "work")
    two = clones("two")
    two.commit("main", "baton.toml", '[land]\nallowed = ["merge"]\n')
    two.git("push", "-q", "origin", "main")
    assert send(one) == [("land", "t1", "rescued")]
    assert one.ok("show", "t1")["status"] == "blocked"
    assert "refs/heads/work" not in one.git("ls-remote", "origin")


def test_a_commit_that_is_published_elsewhere_waits(
    clones: Clones, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    commit = one.commit("work", "file", "text\n")
    with away(file_remote):
        assert one("done", "t1", "--commit", "nope").status == 2
        assert one.ok("done", "t1", "--commit", "HEAD", "--result", "fine")["queued"] is True
    assert send(one) == [("land", "t1", "landed")]
    result = one.ok("show", "t1")["result"]
    assert result == {"branch": None, "commit": commit, "text": "fine"}


def test_the_later_word_counts(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    one.commit("work", "file", "text\n")
    with away(file_remote):
        one.ok("done", "t1", "--branch", "work")
        later = one.commit("work", "file", "better\n")
        one.ok("done", "t1", "--branch", "work")
    assert send(one) == [("land", "t1", "landed")]
    assert one.ok("show", "t1")["result"]["commit"] == later


def test_an_id_is_queued_once(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("list")
    with away(file_remote):
        one.ok("add", "Later", "--id", "t1")
        again = one("add", "Later too", "--id", "t1", "--json")
        assert (again.status, again.error["code"]) == (1, "exists")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.git", "/nowhere/x.git"])
def test_it_is_known_in_seconds_that_a_remote_is_away(clones: Clones, url: str) -> None:
    """Refused connections and missing paths are no reason to wait for a time limit."""
    one = clones("one")
    one.git("remote", "set-url", "origin", url)
    clock = SystemClock()
    began = clock.elapsed()
    assert one.ok("add", "Later", "--id", "t1")["queued"] is True
    assert clock.elapsed() - began < 15, "and this machine is busy"


@pytest.mark.parametrize(("end", "status"), [("true", "done"), ("false", "pending")])
def test_a_command_that_outlasts_the_remote_ends_as_it_ended(
    clones: Clones, file_remote: BareRepository, end: str, status: str
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    hidden = file_remote.path.with_suffix(".away")
    script = f"mv {file_remote.path} {hidden}; {end}"
    answer = one("exec", "t1", "--", "sh", "-c", script)
    hidden.rename(file_remote.path)
    assert answer.status == (0 if end == "true" else 1)
    assert "queued" in answer.err
    assert len(send(one)) == 1
    assert one.ok("show", "t1")["status"] == status
