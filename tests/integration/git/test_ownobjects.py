"""Which objects are a repository's own: as git itself says of a repository without alternates."""

from __future__ import annotations

import random
from pathlib import Path

from gitbaton.core.ids import Oid
from gitbaton.git.objects import RawObject, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.ownobjects import find_damaged, find_own
from tests.integration.git.desk import Desk


def blobs(desk: Desk, numbers: range) -> list[RawObject]:
    return [make_object("blob", str(n).encode(), desk._format) for n in numbers]


def test_packed_and_loose_ones_are_found_and_no_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "own.git")
    store = ObjectStore(desk.git, desk.path, desk._format)
    loose, packed, more = (blobs(desk, range(n, n + 10 * n)) for n in (1, 50, 1000))
    others = blobs(desk, range(100_000, 100_200))
    store.write(loose)
    store.write(packed)
    store.write_pack(more)
    here = {item.oid for item in (*loose, *packed, *more)}
    asked = [*here, *(item.oid for item in others)]
    random.Random(3).shuffle(asked)
    ends = [Oid("0" * len(asked[0])), Oid("f" * len(asked[0]))]
    assert find_own(desk.path / "objects", [*asked, *ends]) == here
    store.close()


def test_an_index_that_is_cut_or_empty_has_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "own.git")
    store = ObjectStore(desk.git, desk.path, desk._format)
    items = blobs(desk, range(30))
    store.write_pack(items)
    (index,) = (desk.path / "objects" / "pack").glob("*.idx")
    content = index.read_bytes()
    index.chmod(0o644)
    for length in (0, 4, 9, 600):
        index.write_bytes(content[:length])
        assert find_own(desk.path / "objects", [item.oid for item in items]) == set()
    store.close()


def test_loose_files_that_do_not_hold_what_they_say_are_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "own.git")
    store = ObjectStore(desk.git, desk.path, desk._format)
    items = blobs(desk, range(5))
    store.write(items)
    files = [desk.path / "objects" / item.oid[:2] / item.oid[2:] for item in items]
    for file in files[:3]:
        file.chmod(0o644)
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-3])
    files[2].write_bytes(files[3].read_bytes())
    assert set(find_damaged(desk.path / "objects", desk._format)) == set(files[:3])
    store.drop_damaged()  # nobody says that this repository is ours
    assert files[0].exists()
    (desk.path / "ready").touch()
    store.drop_damaged()
    assert [file.exists() for file in files] == [False, False, False, True, True]
    store.close()
