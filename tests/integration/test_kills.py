"""Kill tests: workers, commands and the server's receive-pack, at seeded random moments (I1-I4).

When no more is killed, everybody else finishes, and the independent checker judges the remote:
every commit that an agent wrote down is on a branch or on a rescue ref, no record is lost, no
process and no lock is left behind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.chaos.administrator import Administrator
from tests.integration.chaos.assassin import Assassin, stale_locks
from tests.integration.chaos.fleet import CONFIG, PLAIN, make_fleet
from tests.integration.chaos.seeds import CI, SOAK, generator
from tests.integration.chaos.storm import Storm
from tests.servers.site import Site

KINDS = (*5 * ("file",), "ssh", *5 * ("file",), "http")
PLAIN_EVERY = 5  # storms, one is over the commands of git: on each kind of remote in its turn

pytestmark = pytest.mark.timeout(600)  # under load; alone a storm takes some seconds


def weather(number: int, root: Path, request: pytest.FixtureRequest) -> None:
    """Let storm ``number`` pass over a fresh fleet."""
    site: Site = request.getfixturevalue(f"{KINDS[number % len(KINDS)]}_remotes")
    config = CONFIG + f"[store]\n{PLAIN}" if number % PLAIN_EVERY == 2 else CONFIG
    storm = Storm(make_fleet(root, site, clones=3, config=config), generator(number))
    try:
        storm.run()
    finally:
        print(*storm.story, sep="\n")


@pytest.mark.race
@pytest.mark.parametrize("number", range(CI))
def test_a_fleet_survives_kills(
    number: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    weather(number, tmp_path, request)


def test_a_lock_left_on_one_task_keeps_nobody_from_the_others(
    tmp_path: Path, file_remotes: Site
) -> None:
    """I4: the server is killed with a task's ref locked, and nobody removes the lock yet.

    Whoever's claim it was killed in is told that nobody can say what became of it.
    """
    fleet = make_fleet(tmp_path, file_remotes, clones=1)
    baton = fleet.clones[0]
    fleet.add([{"id": "urgent", "title": "First", "priority": 0}, {"id": "other", "title": "Next"}])
    assassin = Assassin(fleet.remote)
    assassin.load("prepared", "/tasks/urgent")
    unclear = baton("claim", "--json")
    assert (unclear.status, unclear.error["code"]) == (69, "outcome_unknown")
    assert [won["task"]["id"] for won in baton.ok("claim")["claims"]] == ["other"]
    [lock] = stale_locks(fleet.remote.path)
    assert lock.name == "urgent.lock"
    nothing = baton("claim", "--json")
    assert (nothing.status, nothing.error["code"]) == (75, "lost")
    assert nothing.error["next"] == "baton doctor"
    Administrator(fleet.remote.path).round()
    assert [won["task"]["id"] for won in baton.ok("claim")["claims"]] == ["urgent"]


@pytest.mark.soak
@pytest.mark.parametrize("number", range(CI, CI + SOAK))
def test_a_fleet_survives_many_storms(
    number: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    weather(number, tmp_path, request)
