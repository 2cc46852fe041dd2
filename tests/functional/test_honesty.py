"""What ``baton`` says when the server's answer was lost: never a wrong word about who won."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.integration.chaos.fleet import make_fleet
from tests.integration.chaos.verdict import assert_sound
from tests.integration.git.gates import stopping
from tests.servers.httpd import Fault, failing
from tests.servers.relay import relay
from tests.servers.site import Site

TASK = [{"id": "t1", "title": "Wanted"}]
RECEIVE = "/git-receive-pack"


def told(clone: Baton) -> list[str]:
    """Return what has happened to the task, newest first, but for its heartbeats."""
    words = [event["event"] for event in clone.ok("log", "t1")["events"]]
    return [word for word in words if word != "renew"]


@pytest.mark.parametrize("fault", ["drop-answer", "bad-gateway", "drop-request"])
def test_a_claim_whose_answer_was_lost_is_held_or_tried_again(
    fault: Fault, tmp_path: Path, http_remotes: Site
) -> None:
    """I1, I4: done and not told, or not done at all: either way the claim is made once."""
    fleet = make_fleet(tmp_path, http_remotes, clones=2)
    fleet.add(TASK)
    one, two = fleet.clones
    with failing(f"{fleet.remote.path.name}{RECEIVE}", fault, times=1) as struck:
        [claim] = one.ok("claim", "t1")["claims"]
    assert (len(struck), claim["epoch"]) == (1, 1)
    assert two("claim", "t1").status == 75
    one.ok("renew", "t1")
    assert told(two) == ["claim", "add"]
    assert_sound(fleet, unfinished=["t1"])


def test_a_lost_race_whose_answer_was_lost_is_a_lost_race(
    tmp_path: Path, http_remotes: Site
) -> None:
    """I1: our push did nothing, somebody else has won since, and we are told that."""
    fleet = make_fleet(tmp_path, http_remotes, clones=2)
    fleet.add(TASK)
    one, two = fleet.clones
    part = f"{fleet.remote.path.name}{RECEIVE}"
    with stopping(fleet.remote, "pre-receive") as gate:
        # The loser's push stops in the server; its answer will be lost.
        with failing(part, "drop-answer", times=1) as struck:
            loser = one.start("claim", "t1", "--json")
            gate.wait()
        two.ok("claim", "t1")
        gate.open()
        said, _ = loser.communicate(timeout=60)
    assert len(struck) == 1
    assert loser.returncode == 75, said
    assert told(two) == ["claim", "add"]


@pytest.mark.parametrize("state", ["prepared", "committed"])
def test_a_link_that_breaks_in_the_servers_transaction(
    state: str, tmp_path: Path, ssh_remotes: Site
) -> None:
    """I1, I4: the claim is made once, and whoever made it knows."""
    fleet = make_fleet(tmp_path, ssh_remotes, clones=2)
    fleet.add(TASK)
    one, two = fleet.clones
    assert ssh_remotes.port is not None
    with relay(ssh_remotes.port) as link:
        one.git("remote", "set-url", "origin", fleet.remote.through(link.port))
        with stopping(fleet.remote, "reference-transaction", state=state) as gate:
            claimer = one.start("claim", "t1", "--json")
            gate.wait()
            link.snap()
            gate.open()
            said, why = claimer.communicate(timeout=60)
        assert claimer.returncode == 0, why
        one.ok("renew", "t1")
    assert '"epoch":1' in said.replace(" ", "")
    assert told(two) == ["claim", "add"]


def test_without_credentials_nothing_is_claimed(tmp_path: Path, http_remotes: Site) -> None:
    fleet = make_fleet(tmp_path, http_remotes, clones=1)
    fleet.add(TASK)
    [one] = fleet.clones
    one.git("remote", "set-url", "origin", fleet.remote.url.replace("agent:s3cret@", ""))
    refused = one("claim", "t1", "--json")
    assert (refused.status, refused.error["code"]) == (77, "host_refused")
    assert "s3cret" not in refused.out + refused.err
