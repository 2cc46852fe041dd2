"""Many processes commit from one checkout while another keeps editing and staging beside them.

I3: each commit holds exactly its own paths; nothing is lost and nothing swept in.
"""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.integration.workspace.commit.house import House, build
from tests.integration.workspace.commit.victim import fork, join

PROCESSES = 16
ROUNDS = 6

pytestmark = pytest.mark.timeout(600)  # under load; alone it takes some seconds


def work(top: Path, number: int) -> None:
    """Commit ``ROUNDS`` times: a new file, a changed one, and one that goes again."""
    house = House(top)
    for turn in range(ROUNDS):
        mine = [f"w{number}/log.txt", f"w{number}/new-{turn}.txt"]
        house.write(mine[0], f"{number} {turn}\n")
        house.write(mine[1], f"{number} {turn}\n")
        if turn:
            mine.append(f"w{number}/new-{turn - 1}.txt")
            (house.top / mine[2]).unlink()
        house.commit(*mine, message=f"w{number} {turn}")


def disturb(top: Path, stop: Path) -> None:
    """Stage, edit and leave files lying about until ``stop`` is there; then leave a known state."""
    house = House(top)
    turn = 0
    while not stop.exists():
        turn += 1
        house.write("b.txt", f"staged {turn}\n")
        # Plain git does not wait for the index: it is in use again and again here.
        subprocess.run(["git", "add", "b.txt"], cwd=top, capture_output=True, check=False)
        house.write("b.txt", f"edited {turn}\n")
        house.write("dir/c.txt", f"dirty {turn}\n")
        house.write(f"scrap-{turn % 5}.txt", f"{turn}\n")
    house.write("b.txt", "staged at last\n")
    house.git("add", "b.txt")
    house.write("b.txt", "edited at last\n")


def history(house: House, start: str) -> list[tuple[str, set[tuple[str, str]]]]:
    """Return subject and changes of each commit since ``start``, the oldest first."""
    text = house.git(
        "log", "--reverse", "--no-renames", "--name-status", "--format=%x00%s", f"{start}.."
    )
    found = []
    for part in text.split("\0")[1:]:
        subject, *lines = part.strip().split("\n")
        changes = (line.split("\t") for line in lines if line)
        found.append((subject, {(letter, path) for letter, path in changes}))
    return found


@pytest.mark.race
def test_ninety_six_commits_from_sixteen_processes(tmp_path: Path) -> None:
    house = build(tmp_path / "house")
    house.write("kept.txt", "staged from the beginning\n")
    house.git("add", "kept.txt")
    kept = house.git("rev-parse", ":kept.txt")
    start = house.head
    stop = tmp_path / "stop"
    beside = fork(lambda: disturb(house.top, stop))
    crowd = [fork(partial(work, house.top, number)) for number in range(PROCESSES)]
    ends = [join(child) for child in crowd]
    stop.touch()
    assert [*ends, join(beside)] == [0] * (PROCESSES + 1)

    made = history(house, start)
    assert len(made) == PROCESSES * ROUNDS
    turns = dict.fromkeys(range(PROCESSES), 0)
    for subject, files in made:
        number, turn = int(subject.split()[0][1:]), int(subject.split()[1])
        assert turn == turns[number], "each worker's commits are in its order"
        turns[number] += 1
        here = f"w{number}"
        expected = {("M" if turn else "A", f"{here}/log.txt"), ("A", f"{here}/new-{turn}.txt")}
        if turn:
            expected.add(("D", f"{here}/new-{turn - 1}.txt"))
        assert files == expected
    for number in range(PROCESSES):
        text = f"{number} {ROUNDS - 1}\n".encode()
        assert house.content(f"w{number}/log.txt") == text

    assert house.git("rev-parse", ":kept.txt") == kept
    assert house.raw("cat-file", "blob", ":b.txt") == b"staged at last\n"
    disk = house.on_disk()
    assert disk["b.txt"] == b"edited at last\n"
    assert disk["dir/c.txt"].startswith(b"dirty ")
    lines = [line for line in house.status() if not line.startswith("??")]
    assert sorted(lines) == [" M dir/c.txt", "A  kept.txt", "MM b.txt"]
    assert all("scrap-" in line for line in house.status() if line.startswith("??"))
    house.check()
