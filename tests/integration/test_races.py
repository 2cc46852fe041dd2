"""Races of real processes for one queue on a real bare remote (I1, I2)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.chaos.fleet import CONFIG, PLAIN, Fleet, make_fleet
from tests.integration.chaos.people import race_by_hand
from tests.integration.chaos.players import Rules, race
from tests.integration.chaos.verdict import (
    Score,
    assert_each_once,
    assert_landed,
    assert_sound,
    assert_spoken,
)
from tests.servers.site import Site

pytestmark = pytest.mark.race

WINDOW = "[store]\nlive_window = 190\n"


def backlog(count: int, *, seed: int) -> list[dict[str, object]]:
    """Return tasks of which some have needs, some reserve paths, and priorities differ."""
    rng = random.Random(seed)
    tasks: list[dict[str, object]] = []
    for number in range(count):
        task: dict[str, object] = {"id": f"t{number:03}", "title": f"Task {number}"}
        task["priority"] = rng.choice([0, 1, 2, 2, 2, 3])
        if number >= count // 2 and rng.random() < 0.4:
            task["needs"] = [f"t{rng.randrange(count // 2):03}"]
        if rng.random() < 0.08:
            task["paths"] = [f"src/part{rng.randrange(6)}/**"]
        tasks.append(task)
    return tasks


def assert_clean(fleet: Fleet, score: Score, tasks: Sequence[dict[str, object]]) -> None:
    """Claimed once, done once, landed once; nothing is left to do; every invariant was kept."""
    assert_each_once(score, (str(task["id"]) for task in tasks))
    assert_landed(fleet, score.wins)
    fleet.clones[0].ok("fold")
    assert_sound(fleet)


@pytest.mark.timeout(600)  # under load; alone it takes about a minute
def test_32_processes_in_4_clones_drain_200_tasks(tmp_path: Path, file_remotes: Site) -> None:
    """I1, I2: every task is claimed once an epoch, done once, landed once."""
    fleet = make_fleet(tmp_path, file_remotes, clones=4, config=CONFIG + WINDOW)
    tasks = backlog(200, seed=1)
    for start in (0, 95, 190):  # the last ones do not fit: they wait on the board
        fleet.add(tasks[start : start + 95])
    score = race(fleet, Rules(players=32))
    assert_clean(fleet, score, tasks)


def test_8_people_drain_40_tasks_with_the_installed_command(
    tmp_path: Path, file_remotes: Site
) -> None:
    """I1, I2: the same through ``claim --json`` and ``done --branch``."""
    fleet = make_fleet(tmp_path, file_remotes, clones=4)
    tasks = backlog(40, seed=2)
    fleet.add(tasks)
    assert_clean(fleet, race_by_hand(fleet, players=8), tasks)


@pytest.mark.parametrize(
    ("kind", "transport"), [("ssh", "fast"), ("http", "fast"), ("file", "plain")]
)
def test_8_processes_drain_16_tasks_whatever_leads_to_the_server(
    kind: str, transport: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """I1, I2: what refuses the losers is the server."""
    site: Site = request.getfixturevalue(f"{kind}_remotes")
    config = CONFIG + f"[store]\n{PLAIN}" if transport == "plain" else CONFIG
    fleet = make_fleet(tmp_path, site, clones=4, config=config)
    assert_spoken(fleet, transport)
    tasks = backlog(16, seed=3)
    fleet.add(tasks)
    score = race(fleet, Rules(players=8, batch=2, tidy_every=4))
    assert_clean(fleet, score, tasks)


def test_without_the_expected_old_value_the_race_is_red(tmp_path: Path, file_remotes: Site) -> None:
    """The mutation check: pushes that force their values give some task to two players."""
    fleet = make_fleet(tmp_path, file_remotes, clones=4)
    tasks: list[dict[str, object]] = [{"id": f"t{n}", "title": "One of few"} for n in range(8)]
    fleet.add(tasks)
    score = race(fleet, Rules(players=8, patience=8.0, careless=True))
    assert len(set(score.given)) < len(score.given), "two players were given the same claim"
    with pytest.raises(AssertionError):
        assert_clean(fleet, score, tasks)
