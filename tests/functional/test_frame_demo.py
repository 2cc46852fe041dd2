"""``baton frame demo`` does what it shows, leaves nothing but the page, and notices a forgery."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, SOURCE, Answer

GENEROUS = 240.0  # seconds: the machine that runs the tests may be busy with others


def play(place: Path, *words: str) -> Answer:
    """Run ``baton frame demo *words`` to its end; ``place`` is where its temporary files go."""
    done = subprocess.run(
        [*COMMAND, "frame", "demo", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TMPDIR": str(place), "GIT_DIR": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=GENEROUS,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.timeout(GENEROUS)
def test_it_keeps_every_promise_and_leaves_a_page(tmp_path: Path) -> None:
    """I4, I7: what is verified is read from git."""
    place = tmp_path / "a place"
    place.mkdir()
    answer = play(place, "--json", "--page", "town.html")
    assert answer.status == 0, answer
    told = answer.json
    assert told["ok"]
    assert len(told["acts"]) == 8
    assert len(told["verdicts"]) == 8
    assert all(verdict["ok"] for verdict in told["verdicts"])
    assert [file.name for file in place.iterdir()] == ["town.html"], "nothing else is left"
    page = (place / "town.html").read_text()
    start = '<script id="history" type="application/json">'
    history = json.loads(page.partition(start)[2].partition("</script>")[0])
    assert [frame["n"] for frame in history["frames"]] == list(range(len(history["frames"])))
    assert len(history["people"]) >= 100
    assert "http://www.w3.org" in page, "a picture"
    assert "src=" not in page, "one file that needs nothing else"


@pytest.mark.soak
def test_a_forged_world_is_noticed(tmp_path: Path) -> None:
    answer = play(tmp_path, "--json", "--sabotage")
    assert answer.status == 1, answer
    told = answer.json
    broken = {verdict["name"] for verdict in told["verdicts"] if not verdict["ok"]}
    assert "every payment was booked exactly once" in broken
    assert "every frame, merged again, comes out the same to the byte" in broken
    assert "not kept" in told["error"]["message"]
