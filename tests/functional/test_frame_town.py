"""The example town keeps the contract of streams, and does the same whenever it is run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from gitbaton.frames.codec import read_ops
from gitbaton.frames.frame import decode_world
from gitbaton.frames.rules import RuleTable

TOWN = Path(__file__).parents[2] / "examples" / "town" / "town.py"


def play(*words: str, **env: str) -> str:
    """Run ``town.py *words``, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-B", str(TOWN), *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def live(world: Path, ops: Path, frame: int) -> bytes:
    """Return what everybody wants in ``frame``."""
    agents = world / "agents.json"
    env = {"BATON_WORLD": world, "BATON_AGENTS": agents, "BATON_OPS": ops, "BATON_STREAM": "1"}
    play("stream", BATON_FRAME=str(frame), **{name: str(value) for name, value in env.items()})
    return ops.read_bytes()


def test_a_frame_that_is_run_again_comes_out_the_same(tmp_path: Path) -> None:
    """Every op is one, names who wants it, and touches what a resident may touch."""
    world = tmp_path / "world"
    assert "100 residents" in play("seed", str(world))
    for frame in (1, 2, 8):
        first = live(world, tmp_path / f"first-{frame}", frame)
        assert first == live(world, tmp_path / f"again-{frame}", frame)
        read = read_ops(first)
        assert read.bad == ()
        assert len(read.good) == first.count(b"\n") > 50
        assert all(op.agent is not None for op in read.good.values())
        documents = {op.doc for op in read.good.values()}
        assert documents <= {file.name for file in world.iterdir()}
    assert live(world, tmp_path / "other", 3) != live(world, tmp_path / "another", 4)


def test_its_rules_and_its_gold(tmp_path: Path) -> None:
    """Payments move gold from one purse to another, so their sum is nothing."""
    world = tmp_path / "world"
    play("seed", str(world), "--residents", "40", "--seed", "another")
    config = decode_world((world / "world.json").read_bytes())
    RuleTable(config.rules)
    assert len({rule.use for rule in config.rules}) >= 6
    assert len(json.loads((world / "agents.json").read_bytes())) == 40
    paid = 0
    for frame in range(6):
        for line in live(world, tmp_path / f"ops-{frame}", frame).splitlines():
            op = json.loads(line)
            if (op["doc"], op["op"]) == ("purses.json", "incr"):
                paid += op["value"]
    assert paid == 0
