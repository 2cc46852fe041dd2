"""Many processes commit from one checkout while another keeps editing and staging beside them.

I3: each commit holds exactly its own paths; nothing is lost and nothing swept in.
"""

from __future__ import annotations

import multiprocessing
import subprocess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tests.integration.workspace.commit.house import House, build

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


def disturb(top: Path, stop: Event) -> None:
    """Stage, edit and leave files lying about until told to stop; then leave a known state."""
    house = House(top)
    turn = 0
    while not stop.is_set():
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


@pytest.mark.race
def test_ninety_six_commits_from_sixteen_processes(tmp_path: Path) -> None:
    house = build(tmp_path / "house")
    house.write("kept.txt", "staged from the beginning\n")
    house.git("add", "kept.txt")
    kept = house.git("rev-parse", ":kept.txt")
    start = house.head
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    beside = spawn.Process(target=disturb, args=(house.top, stop))
    beside.start()
    crowd = [spawn.Process(target=work, args=(house.top, number)) for number in range(PROCESSES)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    stop.set()
    beside.join()
    assert [process.exitcode for process in (*crowd, beside)] == [0] * (PROCESSES + 1)

    commits = house.git("rev-list", "--reverse", f"{start}..HEAD").split()
    assert len(commits) == PROCESSES * ROUNDS
    turns = dict.fromkeys(range(PROCESSES), 0)
    for commit in commits:
        subject = house.git("log", "-1", "--format=%s", commit)
        number, turn = int(subject.split()[0][1:]), int(subject.split()[1])
        assert turn == turns[number], "each worker's commits are in its order"
        turns[number] += 1
        here = f"w{number}".encode()
        expected = {("M" if turn else "A", here + b"/log.txt"), ("A", here + b"/new-%d.txt" % turn)}
        if turn:
            expected.add(("D", here + b"/new-%d.txt" % (turn - 1)))
        assert house.files(commit) == expected
        assert house.content(f"w{number}/log.txt", commit) == f"{number} {turn}\n".encode()

    assert house.git("rev-parse", ":kept.txt") == kept
    assert house.raw("cat-file", "blob", ":b.txt") == b"staged at last\n"
    disk = house.on_disk()
    assert disk["b.txt"] == b"edited at last\n"
    assert disk["dir/c.txt"].startswith(b"dirty ")
    lines = [line for line in house.status() if not line.startswith("??")]
    assert sorted(lines) == [" M dir/c.txt", "A  kept.txt", "MM b.txt"]
    assert all("scrap-" in line for line in house.status() if line.startswith("??"))
    house.check()
