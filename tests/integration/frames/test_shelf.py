"""The world on disk: shared where nothing changed, whole where somebody meddled, never outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.frames.shelf import Shelf
from gitbaton.git.objects import FILE_MODE, TREE_MODE, TreeEntry, encode_tree, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.trees import edit_tree
from tests.integration.store.place import make_place


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectStore]:
    place = make_place(tmp_path)
    yield place.repository().objects
    place.close()


def plant(objects: ObjectStore, files: Mapping[str, str]) -> Oid:
    """Write a tree with these files."""
    blobs = {n: make_object("blob", text.encode(), objects.format) for n, text in files.items()}
    tree, made = edit_tree(objects, None, {name: blob.oid for name, blob in blobs.items()})
    objects.write([*blobs.values(), *made])
    return tree


def test_only_what_changed_is_written_and_a_former_frame_stays(
    objects: ObjectStore, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "shelf", objects)
    first = shelf.lay(1, plant(objects, {"a/one.json": "1", "two.json": "2", "gone.json": "x"}))
    second = shelf.lay(2, plant(objects, {"a/one.json": "1", "two.json": "3"}))
    assert (first / "a/one.json").samefile(second / "a/one.json")
    assert [(d / "two.json").read_text() for d in (first, second)] == ["2", "3"]
    assert (first / "gone.json").exists() and not (second / "gone.json").exists()
    shelf.clear(keep={second})
    assert not first.exists() and (second / "a/one.json").read_text() == "1"
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [second.name]


@pytest.mark.parametrize("how", ["written to", "taken away"])
def test_what_a_stream_did_to_a_file_is_not_handed_on(
    objects: ObjectStore, tmp_path: Path, how: str
) -> None:
    """Files are read-only, and yet their owner can do anything to them."""
    shelf = Shelf(tmp_path / "shelf", objects)
    first = shelf.lay(1, plant(objects, {"one.json": "1", "two.json": "2"}))
    first.chmod(0o755)
    (first / "one.json").chmod(0o644)
    if how == "written to":
        (first / "one.json").write_text("mine")
    else:
        (first / "one.json").unlink()
    second = shelf.lay(2, plant(objects, {"one.json": "1", "two.json": "3"}))
    assert (second / "one.json").read_text() == "1"


def test_a_killed_worker_leaves_nothing_that_is_taken_for_a_world(
    objects: ObjectStore, tmp_path: Path
) -> None:
    """I4: a directory gets its name when it is whole."""
    tree = plant(objects, {"one.json": "1"})
    shelf = Shelf(tmp_path / "shelf", objects)
    half = tmp_path / "shelf" / "making-1"
    half.mkdir(parents=True)
    (half / "one.json").write_text("hal")
    world = shelf.lay(1, tree)
    shelf.clear(keep={world})
    assert not half.exists() and (world / "one.json").read_text() == "1"
    assert shelf.lay(1, tree) == world


@pytest.mark.parametrize("name", ["..", ".", "a\\b"])
def test_no_name_in_a_tree_leaves_the_directory(
    objects: ObjectStore, tmp_path: Path, name: str
) -> None:
    """I8: git itself takes such trees in a push."""
    blob = make_object("blob", b"out", objects.format)
    inner = make_object(
        "tree", encode_tree([TreeEntry(FILE_MODE, b"x.json", blob.oid)]), objects.format
    )
    outer = make_object(
        "tree", encode_tree([TreeEntry(TREE_MODE, name.encode(), inner.oid)]), objects.format
    )
    objects.write([blob, inner, outer])
    with pytest.raises(BatonError):
        Shelf(tmp_path / "shelf", objects).lay(1, outer.oid)
    assert not (tmp_path / "x.json").exists()
