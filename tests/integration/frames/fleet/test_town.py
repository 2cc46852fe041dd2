"""A hundred agents on five machines, over ssh: exactly once, whatever fails (I4, I7)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.frames.fleet.town import WORKERS, Town
from tests.integration.machines.lab import Kind, best_kind, open_lab
from tests.needs import needs
from tests.worldchecker import check_world
from tests.worldchecker.evidence import gather
from tests.worldchecker.ledger import read_ledger

pytestmark = pytest.mark.timeout(2400)
SEED = os.getpid()


def tell(kind: Kind, place: Path, *, frames: int, seed: int) -> Town:
    """Let a town live in a lab of this kind, and judge it by git and the streams' ledger alone."""
    needs("sshd")
    with open_lab(place / "lab", WORKERS, kind) as lab:
        town = Town(lab, place / "world", seed)
        try:
            town.run(frames)
            findings = check_world(lab.remote.path, town.ledger)
            assert findings == [], "\n".join(map(str, findings))
        except BaseException:
            print(f"seed {seed}")
            raise
        finally:
            print(town)
        assert len(gather(lab.remote.path).frames) > frames
    return town


@pytest.mark.race
def test_every_op_is_applied_once_whatever_fails(tmp_path: Path) -> None:
    """20 frames with six troubles; the checker knows what was killed and sees what is missing."""
    town = tell(best_kind(), tmp_path, frames=20, seed=SEED)
    remote = town.lab.remote.path
    ledger = read_ledger(town.ledger)
    assert ledger.killed, "somebody was killed"
    assert len(ledger.runs) >= 20 * 5 * 5, "most streams had agents in most frames"
    # The checker can go red: an entry is lost, and a finished run is unknown.
    some = next(run for run in ledger.runs if run.ended and run.life not in ledger.killed)
    book = town.ledger / f"{some.run}.jsonl"
    book.write_text(book.read_text().replace('"op":"incr"', '"op":"incr","late":1', 1))
    assert check_world(remote, town.ledger) != []


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["loopback", "namespaces"])
@pytest.mark.parametrize("seed", range(2))
def test_it_always_is(seed: int, kind: Kind, tmp_path: Path) -> None:
    """200 frames with more than sixty troubles."""
    if kind == "namespaces":
        needs("namespaces")
    tell(kind, tmp_path, frames=200, seed=seed)
