"""What is here in part only, or cannot be read, is brought again (I4: a clone is never stuck)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitbaton.store.model import make_key

from .place import Place, create

NAMES = [f"task-{number:03}" for number in range(6)]
KEYS = [make_key("tasks", name) for name in NAMES]
BOARD = "refs/heads/baton"


def lend(place: Place, number: int, oid: str) -> None:
    """Put one object of the remote into a clone, as a fetch that was ended leaves it."""
    kind = place.git("cat-file", "-t", oid)
    git = ["git", "-C", str(place.remote)]
    content = subprocess.run([*git, "cat-file", kind, oid], check=True, capture_output=True)
    into = ["git", "-C", str(place.clone(number)), "hash-object", "-t", kind, "-w", "--stdin"]
    subprocess.run(into, input=content.stdout, check=True, capture_output=True)


def own_objects(place: Place, number: int) -> Path:
    return place.clone(number) / ".git" / "baton" / "objects"


def filled(place: Place) -> None:
    """Let clone 0 create records; clone 1 has seen them."""
    writer = place.store(0)
    for name in NAMES[:3]:
        create(writer, name)
    assert set(place.store(1).read().records) == set(KEYS[:3])


@pytest.mark.parametrize("half", ["tip", "tip and tree", "parent"])
def test_half_a_fetch_of_the_owner_is_not_taken_for_the_whole(place: Place, half: str) -> None:
    filled(place)
    watching = place.store(1)
    watching.read()
    writer = place.store(0)
    for name in NAMES[3:]:
        create(writer, name)
    tip = place.git("rev-parse", BOARD)
    lend(place, 1, f"{BOARD}~1" if half == "parent" else BOARD)
    if half == "tip and tree":
        lend(place, 1, f"{BOARD}^{{tree}}")
    assert set(watching.read().records) == set(KEYS)
    assert set(place.store(1).read().records) == set(KEYS)
    inside = ["git", f"--git-dir={own_objects(place, 1).parent}", "rev-list", "--objects", tip]
    assert subprocess.run(inside, capture_output=True, check=False).returncode == 0


def test_half_a_record_is_brought_whole(place: Place) -> None:
    filled(place)
    create(place.store(0), NAMES[3], {"n": 2})
    ref = next(name for name in place.refs("refs/baton/") if name.endswith("task-003"))
    lend(place, 1, ref)
    lend(place, 1, f"{ref}^{{tree}}")
    read = place.store(1).read()
    assert read.records[KEYS[3]].value["n"] == 2
    assert not read.damaged


@pytest.mark.parametrize("hurt", ["emptied", "cut", "gone"])
def test_what_a_power_cut_took_is_brought_again(place: Place, hurt: str) -> None:
    """A power cut leaves files that were not synchronised empty, cut or not there."""
    filled(place)
    ours = place.store(1)
    create(ours, NAMES[3])
    place.close()
    for path in own_objects(place, 1).rglob("*"):
        if path.is_file() and "info" not in path.parts:
            path.chmod(0o644)
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2] if hurt == "cut" else b"")
            if hurt == "gone":
                path.unlink()
    read = place.store(1).read()
    assert set(read.records) == set(KEYS[:4])
    assert not read.damaged
    create(place.store(1), NAMES[4])
    assert not (own_objects(place, 1).parent / "mending").exists()


def test_a_noted_gap_is_mended_by_the_next_look(place: Place) -> None:
    filled(place)
    objects = place.repository(1).objects
    objects.gap.note()
    shutil.rmtree(own_objects(place, 1) / "pack")
    assert set(place.store(1).read().records) == set(KEYS[:3])
    assert not objects.gap.is_noted()
