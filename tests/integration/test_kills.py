"""Kill tests: workers, commands and the server's receive-pack, at seeded random moments (I1-I4).

When no more is killed, everybody else finishes, and the independent checker judges the remote:
every commit that an agent wrote down is on a branch or on a rescue ref, no record is lost, no
process and no lock is left behind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.chaos.fleet import make_fleet
from tests.integration.chaos.seeds import CI, SOAK, generator
from tests.integration.chaos.storm import Storm
from tests.servers.site import Site

KINDS = (*5 * ("file",), "ssh", *5 * ("file",), "http")


def weather(number: int, root: Path, request: pytest.FixtureRequest) -> None:
    """Let storm ``number`` pass over a fresh fleet."""
    site: Site = request.getfixturevalue(f"{KINDS[number % len(KINDS)]}_remotes")
    storm = Storm(make_fleet(root, site, clones=3), generator(number))
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


@pytest.mark.soak
@pytest.mark.parametrize("number", range(CI, CI + SOAK))
def test_a_fleet_survives_many_storms(
    number: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    weather(number, tmp_path, request)
