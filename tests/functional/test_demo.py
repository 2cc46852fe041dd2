"""``baton demo`` does what it shows, leaves nothing behind, and notices when something is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from gitbaton.cli.demo.snapshot import take_snapshot
from gitbaton.cli.demo.stage import MACHINES, MARK, Stage
from tests.checker import check
from tests.functional.baton import COMMAND, SOURCE, Answer, Baton

GENEROUS = 240.0  # seconds: the machine that runs the tests may be busy with others


@dataclass(frozen=True)
class Theatre:
    """Where the demo is played: the directory that is its TMPDIR."""

    place: Path

    @property
    def env(self) -> dict[str, str]:
        """An environment with what a person's shell may hold, to be kept out of the demo."""
        return {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "TMPDIR": str(self.place),
            "GIT_DIR": "/nowhere",
            "GIT_AUTHOR_NAME": "Somebody Else",
            "BATON_TASK": "of-an-agent",
            "BATON_TOKEN": "of-an-agent",
        }

    def play(self, *words: str) -> Answer:
        """Run ``baton demo *words`` to its end."""
        done = subprocess.run(
            [*COMMAND, "demo", *words],
            cwd=self.place,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=GENEROUS,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def left(self) -> list[Path]:
        """The directories of demos that are still there."""
        return sorted(self.place.glob("baton-demo-*"))

    def running(self) -> list[int]:
        """The processes of demos in this place that still run."""
        marked = (p for p in psutil.process_iter(["environ"]) if p.info["environ"])
        return [
            p.pid for p in marked if p.info["environ"].get(MARK, "").startswith(str(self.place))
        ]


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    """A place with a space in its name."""
    place = tmp_path / "a place"
    place.mkdir()
    return Theatre(place.resolve())


def test_it_keeps_every_promise_and_leaves_nothing_behind(theatre: Theatre) -> None:
    answer = theatre.play("--json")
    assert answer.status == 0, answer
    told = answer.json
    assert set(told) == {"ok", "seconds", "directory", "acts", "verdicts"}
    assert told["ok"] is True
    assert told["directory"] is None
    assert [act["number"] for act in told["acts"]] == list(range(1, 12))
    assert len(told["verdicts"]) == 10
    assert [v for v in told["verdicts"] if not v["ok"]] == []
    assert theatre.left == []
    assert theatre.running() == []


def test_a_removed_landing_is_noticed_and_all_is_kept(theatre: Theatre) -> None:
    answer = theatre.play("--sabotage")
    assert answer.status == 1, answer
    assert set(re.findall("✗ (.+)", answer.out)) == {
        "each landed exactly once: one commit on main, or its branch",
        "nothing that an agent wrote is lost: landed or rescued",
        "the game on main is complete and passes its check",
    }
    assert "act 10, Is it true?" in answer.err
    assert max(len(line) for line in answer.out.splitlines()) <= 80
    assert "\x1b" not in answer.out
    assert theatre.running() == []
    [kept] = theatre.left
    assert str(kept) in answer.err
    # With the landing put back, the checker of this test suite, which shares nothing with the
    # demo, has nothing to say about the remote.
    last = Baton(kept / "desk").ok("show", "map")["result"]["commit"]
    Baton(kept / "desk").git("-C", str(kept / "hub.git"), "update-ref", "refs/heads/main", last)
    assert check(kept / "hub.git", target="main", quiescent=True, one_clock=True) == []


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (("branch", "left-behind"), {"refs"}),
        (("config", "core.bare", "false"), set()),
        (("config", "user.name", "Mallory"), {"config"}),
        (("rm", "-q", "--cached", "play.py"), {"index", "status"}),
        (("checkout", "-q", "--detach"), {"HEAD", "worktrees"}),
        (("worktree", "add", "-q", "--detach", "../another"), {"worktrees", "git directory"}),
    ],
)
def test_a_snapshot_sees_what_changed_in_a_clone(
    tmp_path: Path, change: tuple[str, ...], parts: set[str]
) -> None:
    stage = Stage(tmp_path, os.environ)
    stage.build()
    clone = stage.place(MACHINES[0])
    before = take_snapshot(stage, clone)
    stage.git(clone, *change)
    after = take_snapshot(stage, clone)
    assert {part for part in before if before[part] != after[part]} == parts


def test_an_interrupt_ends_everything(theatre: Theatre) -> None:
    run = subprocess.Popen(
        [*COMMAND, "demo"],
        cwd=theatre.place,
        env=theatre.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with run:
        assert run.stdout is not None
        assert any(" landed " in line for line in run.stdout), "six agents are at work"
        assert theatre.running()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=GENEROUS)
    assert run.returncode == 130
    assert theatre.left == []
    assert theatre.running() == []
