"""The world on disk: one becomes the next, whole where somebody meddled, never outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.frames import layout
from gitbaton.frames.shelf import Shelf
from gitbaton.git.objects import FILE_MODE, TREE_MODE, TreeEntry, encode_tree, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.trees import edit_tree
from tests.integration.store.place import make_place


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    place = make_place(tmp_path_factory.mktemp("objects"))
    yield place.repository().objects
    place.close()


def plant(objects: ObjectStore, files: Mapping[str, str]) -> Oid:
    """Write a tree with these files."""
    blobs = {n: make_object("blob", text.encode(), objects.format) for n, text in files.items()}
    tree, made = edit_tree(objects, None, {name: blob.oid for name, blob in blobs.items()})
    objects.write([*blobs.values(), *made])
    return tree


def contents(world: Path) -> dict[str, str]:
    """Return what is in a directory that is read-only, and has no folder that is empty."""
    found = {}
    for folder, inner, names in os.walk(world):
        assert inner or names or Path(folder) == world, f"{folder} is empty"
        assert Path(folder).stat().st_mode & 0o777 == 0o555
        for name in names:
            path = Path(folder, name)
            assert not path.is_symlink() and path.stat().st_mode & 0o222 == 0
            found[str(path.relative_to(world))] = path.read_text()
    return found


def test_only_what_changed_is_written(objects: ObjectStore, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", objects)
    first = shelf.lay(1, plant(objects, {"a/one.json": "1", "two.json": "2", "gone.json": "x"}))
    kept = (first / "a/one.json").stat()
    shelf.release(first)
    second = shelf.lay(2, plant(objects, {"a/one.json": "1", "two.json": "3"}))
    assert contents(second) == {"a/one.json": "1", "two.json": "3"}
    assert (second / "a/one.json").stat() == kept, "not even its times have changed"
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [second.name]


def test_a_world_that_somebody_reads_stays_as_it_is(objects: ObjectStore, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", objects)
    files = {"a/one.json": "1", "two.json": "2"}
    first = shelf.lay(1, plant(objects, files))
    second = shelf.lay(2, plant(objects, {**files, "two.json": "3"}))
    assert contents(first) == files
    shelf.release(second)
    assert not first.exists(), "nobody reads what is older than what nobody reads any more"
    assert contents(shelf.lay(3, plant(objects, files))) == files


def test_a_file_that_is_still_open_keeps_what_it_had(objects: ObjectStore, tmp_path: Path) -> None:
    """A process that a stream left behind may hold one open."""
    shelf = Shelf(tmp_path / "shelf", objects)
    first = shelf.lay(1, plant(objects, {"one.json": "1"}))
    with (first / "one.json").open() as held:
        shelf.release(first)
        second = shelf.lay(2, plant(objects, {"one.json": "2"}))
        assert (held.read(), contents(second)) == ("1", {"one.json": "2"})


def _write_to(world: Path) -> None:
    (world / "a/one.json").chmod(0o644)
    (world / "a/one.json").write_text("9")


def _forge(world: Path) -> None:
    """Write as many bytes, and set the time back."""
    before = (world / "a/one.json").stat()
    _write_to(world)
    os.utime(world / "a/one.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    (world / "a/one.json").chmod(0o444)


def _take_away(world: Path) -> None:
    layout.remove(str(world / "a"))


def _add(world: Path) -> None:
    (world / "a").chmod(0o755)
    (world / "a/cache").mkdir()
    (world / "a/cache/x").write_text("x")
    (world / "a/cache").chmod(0)


def _lock(world: Path) -> None:
    (world / "a").chmod(0)


def _link_out(world: Path) -> None:
    (world / "a").rename(world.parent.parent / "outside")
    (world.parent.parent / "outside").chmod(0o755)
    (world / "a").symlink_to(world.parent.parent / "outside")


def _link_all_out(world: Path) -> None:
    world.rename(world.parent.parent / "outside")
    world.symlink_to(world.parent.parent / "outside")


def _make_folder(world: Path) -> None:
    (world / "two.json").unlink()
    (world / "two.json").mkdir()


def _delete(world: Path) -> None:
    layout.remove(str(world))


@pytest.mark.parametrize(
    "meddle",
    [
        _write_to,
        _forge,
        _take_away,
        _add,
        _lock,
        _link_out,
        _link_all_out,
        _make_folder,
        _delete,
    ],
)
def test_what_a_stream_did_to_a_world_is_not_handed_on(
    objects: ObjectStore, tmp_path: Path, meddle: Callable[[Path], None]
) -> None:
    """Files are read-only, and yet their owner can do anything to them."""
    shelf = Shelf(tmp_path / "shelf", objects)
    files = {"a/one.json": "1", "a/b/three.json": "3", "two.json": "2"}
    first = shelf.lay(1, plant(objects, files))
    first.chmod(0o755)
    meddle(first)
    outside = tmp_path / "outside"
    theirs = sorted(outside.rglob("*")) if outside.is_dir() else []
    shelf.release(first)
    for frame in (2, 3):
        files = {**files, "two.json": f"{frame}"}
        world = shelf.lay(frame, plant(objects, files))
        assert contents(world) == files
        shelf.release(world)
    assert theirs == (sorted(outside.rglob("*")) if outside.is_dir() else []), "not followed"


_NAMES = st.sampled_from(["x", "y", "a/x", "a/y", "a/b/x", "a/b/c/y", "d/x", "x/x", "y/a/x", "a"])


def _fit_together(files: Mapping[str, str]) -> bool:
    return not any(other.startswith(f"{name}/") for name in files for other in files)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(_NAMES, st.sampled_from(["1", "2"])).filter(_fit_together),
        min_size=2,
        max_size=5,
    )
)
def test_any_world_becomes_any_other(
    objects: ObjectStore, tmp_path_factory: pytest.TempPathFactory, worlds: list[dict[str, str]]
) -> None:
    """A document may become a folder, and a folder a document; none is left empty."""
    shelf = Shelf(tmp_path_factory.mktemp("any") / "shelf", objects)
    for frame, files in enumerate(worlds):
        world = shelf.lay(frame, plant(objects, files))
        assert contents(world) == files
        shelf.release(world)


class Killed(BaseException):
    """The process ends here."""


def test_killed_between_any_two_steps_it_leaves_no_half_world(
    objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I4: a directory has its name only while it is whole; the next process heals the rest."""
    old = {"a/one.json": "1", "two.json": "2", "gone/x.json": "x"}
    new = {"a/one.json": "3", "two.json": "2", "new/y.json": "y"}
    trees = plant(objects, old), plant(objects, new)
    alive, step = False, 0
    while not alive:
        shelf = Shelf(tmp_path / f"shelf-{step}", objects)
        first = shelf.lay(1, trees[0])
        (first / "two.json").chmod(0o644)
        with monkeypatch.context() as patch:
            _die_after(step, patch)
            try:
                shelf.release(first)
                shelf.lay(2, trees[1])
                alive = True
            except Killed:
                pass
        worlds = set(first.parent.glob("frame-*")) - {first}  # which was not taken back yet
        assert all(contents(world) == new for world in worlds)
        after = Shelf(first.parent, objects)
        after.clear()
        assert contents(after.lay(2, trees[1])) == new
        step += 1
    assert step > 15


def _die_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    left = iter(range(steps))

    def between(do: Callable[..., object]) -> Callable[..., object]:
        def act(*words: object, **named: object) -> object:
            if next(left, None) is None:
                raise Killed
            return do(*words, **named)

        return act

    for name in ("rename", "chmod", "unlink", "rmdir", "mkdir", "open"):
        patch.setattr(os, name, between(getattr(os, name)))


def test_a_killed_worker_leaves_nothing_that_is_taken_for_a_world(
    objects: ObjectStore, tmp_path: Path
) -> None:
    """I4: nor does one that was killed long ago, and had another number."""
    tree = plant(objects, {"one.json": "1"})
    shelf = Shelf(tmp_path / "shelf", objects)
    half = tmp_path / "shelf" / "making-1"
    half.mkdir(parents=True)
    (half / "one.json").write_text("hal")
    world = shelf.lay(1, tree)
    assert shelf.lay(1, tree) == world
    shelf.release(world)
    assert not half.exists() and contents(shelf.lay(1, tree)) == {"one.json": "1"}


@pytest.mark.parametrize("name", ["..", ".", "a\\b", ".git", "GIT~1"])
def test_no_name_in_a_tree_leaves_the_directory(
    objects: ObjectStore, tmp_path: Path, name: str
) -> None:
    """I8: git itself takes such trees in a push. The world before it can be used again."""
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
