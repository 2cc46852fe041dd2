"""Commits on a disk that is full, or nearly: run in a mount namespace of its own.

``python -m tests.integration.workspace.commit.full_disk PLACE`` prints what came of each try.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from tests.integration.workspace.commit.house import build

SIZE: Final = 3_000_000
PAGE: Final = 4096  # a file system in memory gives out whole pages
LEFT: Final = (*range(8), 10, 14, 20, 200)  # pages that are free when a commit begins


def main(place: Path) -> None:
    """Mount a small disk at ``place`` and commit on it with more and more space left."""
    words = ("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place))
    subprocess.run(words, check=True)
    house = build(place / "house")
    house.write("dir/c.txt", "dirty\n")
    filler = place / "filler"
    for left in LEFT:
        house.write("a.txt", f"{left}\n" * 100)
        before, staged = house.head, house.staged()
        fill(filler, left)
        try:
            house.commit("a.txt")
            print("made", left)
        except BatonError as error:
            print(f"refused {left} {error.code}: {error.message} / {error.next}")
            assert (house.head, house.staged()) == (before, staged), "nothing half done"
        filler.unlink()
        if house.head == before:
            house.commit("a.txt")
        assert house.content("a.txt") == f"{left}\n".encode() * 100
        assert sorted(house.status()) == [" M dir/c.txt"], house.status()
    house.check()


def fill(filler: Path, left: int) -> None:
    """Leave ``left`` pages."""
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * PAGE):
                pass
        except OSError:
            file.truncate(max(file.tell() // PAGE - left, 0) * PAGE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
