"""How many pushes a worker needs: slots claim, land and renew together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.working import Place, add, script, tasks, work
from tests.servers.site import BareRepository

SLOTS, ROUNDS = 4, 3

AGENT = "date +%N > $BATON_TASK.txt"


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


def count_pushes(place: Place) -> Path:
    """Let the remote write a line for each push that it is sent; return where."""
    log = place.area / "pushes"
    hook = place.remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho push >> '{log}'\n")
    hook.chmod(0o755)
    return log


def test_four_slots_need_few_pushes(place: Place) -> None:
    """At most 0.6 pushes a finished task, all told: claims, landings, renewals, the board."""
    clone = place.clone("mine")
    settings = clone.directory / "baton.toml"
    settings.write_text(settings.read_text().replace('"0.2s"', '"20s"'))
    names = [f"t{n:02}" for n in range(SLOTS * ROUNDS)]
    add(clone, *({"id": name} for name in names))
    log = count_pushes(place)
    before = clone.ok("status")["pushes"]["last_hour"]
    status, worker = work(clone, "--drain", "--jobs", str(SLOTS), agent=script(place.area, AGENT))
    assert status == 0, worker.events
    assert {t["status"] for t in tasks(clone).values()} == {"done"}
    assert all(place.branch(f"task/{name}") for name in names)
    sent = log.read_text().count("push")
    assert sent <= 0.6 * len(names), sent
    shown = clone.ok("status")["pushes"]
    assert shown["last_hour"] - before == sent
    assert shown["per_minute"] == 6
