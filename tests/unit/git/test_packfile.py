"""Packs and their indexes, read back by git."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from gitbaton.git.objects import Format, RawObject, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.packfile import make_packfile
from gitbaton.git.runner import Git, clean_environment


def repository(place: Path, format: Format) -> Path:
    path = place / "r.git"
    command = ["git", "init", "-q", "--bare", f"--object-format={format}", str(path)]
    subprocess.run(command, check=True)
    return path


def blobs(count: int, format: Format) -> list[RawObject]:
    rng = random.Random(count)
    return [make_object("blob", rng.randbytes(rng.randrange(3000)), format) for _ in range(count)]


@pytest.mark.parametrize("format", ["sha1", "sha256"])
@pytest.mark.parametrize("count", [1, 30, 700])
def test_git_finds_every_object(count: int, format: Format, tmp_path: Path) -> None:
    path = repository(tmp_path, format)
    objects = blobs(count, format)
    packed = make_packfile(objects, format)
    for suffix, content in (("pack", packed.pack), ("idx", packed.index)):
        (path / "objects" / "pack" / f"{packed.name}.{suffix}").write_bytes(content)
    index = path / "objects" / "pack" / f"{packed.name}.idx"
    shown = subprocess.run(
        ["git", "verify-pack", f"--object-format={format}", "-v", str(index)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert shown.stdout.count(" blob ") == count
    assert packed.name in shown.stdout
    git = Git(path, clean_environment(os.environ))
    made = git.run("index-pack", "--stdin", "-o", str(tmp_path / "other.idx"), stdin=packed.pack)
    assert made.text.endswith(packed.name.removeprefix("pack-"))


def test_many_objects_are_one_pack_and_few_are_files(tmp_path: Path) -> None:
    path = repository(tmp_path, "sha1")
    store = ObjectStore(Git(path, clean_environment(os.environ)), path, "sha1")
    few, many = blobs(5, "sha1"), blobs(40, "sha1")
    store.write(few)
    store.write(many)
    store.write(many)  # again: the same pack
    assert sorted(p.suffix for p in (path / "objects" / "pack").iterdir()) == [".idx", ".pack"]
    assert store.missing([item.oid for item in (*few, *many)]) == set()
    subprocess.run(["git", "-C", str(path), "fsck", "--strict"], check=True, capture_output=True)
    assert store.read_many([many[7].oid]) == [("blob", many[7].body)]
    store.close()


def test_loose_objects_are_shared_by_links_where_that_goes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    paths = [repository(tmp_path / name, "sha1") for name in ("a", "b")]
    stores = [ObjectStore(Git(p, clean_environment(os.environ)), p, "sha1") for p in paths]
    objects = blobs(4, "sha1")
    stores[0].write(objects)
    for item in objects:
        (paths[1] / "objects" / item.oid[:2]).mkdir(exist_ok=True)
    with stores[1].adopting([*objects, *blobs(2, "sha1")], stores[0]):
        pass
    assert stores[1].missing([item.oid for item in objects]) == set()
    name = f"objects/{objects[0].oid[:2]}/{objects[0].oid[2:]}"
    assert (paths[0] / name).samefile(paths[1] / name)


def test_what_is_adopted_outlives_a_repack_until_refs_lead_to_it(tmp_path: Path) -> None:
    path = repository(tmp_path, "sha1")
    store = ObjectStore(Git(path, clean_environment(os.environ)), path, "sha1")
    objects = blobs(40, "sha1")
    repack = ["git", "-C", str(path), "repack", "-q", "-a", "-d"]
    with store.adopting(objects, store):
        subprocess.run(repack, check=True)
        assert store.missing([item.oid for item in objects]) == set()
    assert not list((path / "objects" / "pack").glob("*.keep"))
    subprocess.run(repack, check=True)
    assert len(store.missing([item.oid for item in objects])) == 40
