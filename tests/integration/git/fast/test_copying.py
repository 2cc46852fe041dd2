"""What others have done to records of a repository at a path arrives without git fetch."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.fast import copying
from gitbaton.git.fast.copying import copy_history
from gitbaton.git.objects import (
    FILE_MODE,
    TREE_MODE,
    Commit,
    Kind,
    Person,
    RawObject,
    TreeEntry,
    encode_commit,
    encode_tree,
    make_object,
)
from gitbaton.git.objectstore import ObjectStore
from tests.integration.git.desk import Desk


class Place(Desk):
    """A repository, and what reads and writes its objects."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.objects = ObjectStore(self.git, path, self._format)
        self._opened.append(self.objects)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Place]:
    """The repository that is copied from."""
    made = Place(tmp_path / "there.git")
    yield made
    made.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    """The repository that is copied to."""
    made = Place(tmp_path / "here.git")
    yield made
    made.close()


def blob(desk: Place, text: str) -> RawObject:
    return make_object("blob", text.encode(), desk.objects.format)


def tree(desk: Place, entries: dict[str, RawObject]) -> RawObject:
    lines = [
        TreeEntry(TREE_MODE if item.kind == "tree" else FILE_MODE, name.encode(), item.oid)
        for name, item in entries.items()
    ]
    return make_object("tree", encode_tree(lines), desk.objects.format)


def commit(desk: Place, root: RawObject, *parents: Oid, subject: str = "a record") -> RawObject:
    body = encode_commit(Commit(root.oid, parents, Person("a", "a@b", 0), subject))
    return make_object("commit", body, desk.objects.format)


def whole(desk: Place, *tips: Oid) -> bool:
    """Tell whether git finds all that the tips lead to."""
    return desk.git.run("rev-list", "--objects", *tips, check=False).status == 0


def copy(tips: list[Oid], there: Place, here: Place) -> bool:
    return copy_history(tips, source=there.objects, target=here.objects)


def test_random_histories_arrive_whole(there: Place, here: Place) -> None:
    """I3: whatever is copied has all that it names, also where part of it was here before."""
    rng = random.Random(7)
    made: list[Oid] = []
    roots: list[RawObject] = []
    for turn in range(40):
        leaves = {f"f{rng.randrange(4)}": blob(there, str(rng.randrange(30))) for _ in range(3)}
        below = tree(there, leaves)
        root = tree(there, {**leaves, f"d{rng.randrange(3)}": below, "e": rng.choice([below])})
        root = rng.choice([root, *roots[-3:]])
        roots.append(root)
        parents = rng.sample(made[-6:], min(len(made[-6:]), rng.randrange(3)))
        one = commit(there, root, *parents, subject=f"{turn}")
        there.objects.write([*leaves.values(), below, root, one])
        made.append(one.oid)
        if turn % 4 == 3:
            tips = [oid for oid in made[-4:] if here.objects.find_many([oid])[0] is None]
            assert copy(tips, there, here)
            assert whole(here, *tips)
    assert whole(here, *made)


def test_what_is_here_is_not_brought_again(there: Place, here: Place) -> None:
    same, first, second = (blob(there, text) for text in ("same", "first", "second"))
    below = tree(there, {"same": same})
    old = commit(there, tree(there, {"d": below, "f": first}))
    root = tree(there, {"d": below, "f": second})
    new = commit(there, root, old.oid)
    there.objects.write([same, first, second, below, tree(there, {"d": below, "f": first})])
    there.objects.write([root, old, new])
    assert copy([old.oid], there, here)
    with mock.patch.object(here.objects, "write_pack", wraps=here.objects.write_pack) as write:
        assert copy([new.oid], there, here)
    [written] = write.call_args.args
    assert [item.oid for item in written] == [second.oid, root.oid, new.oid]


def test_whatever_names_something_is_written_after_it(there: Place, here: Place) -> None:
    """I4: killed at any moment, what is there has all that it names: the next walk ends at it."""
    made: list[Oid] = []
    written: list[RawObject] = []
    for text in ("a", "b", "c", "d"):
        leaf = blob(there, text)
        below = tree(there, {"leaf": leaf})
        deep = tree(there, {"below": below})
        root = tree(there, {"deep": deep, "beside": below, "leaf": leaf})
        parents = [made[0], made[-1]] if text == "d" else made[-1:]
        one = commit(there, root, *parents, subject=text)
        there.objects.write([leaf, below, deep, root, one])
        made.append(one.oid)
        written += [leaf, below, deep, root, one]
    tip = made[-1]
    with mock.patch.object(here.objects, "write_pack") as write:
        assert copy([tip], there, here)
    [found] = write.call_args.args
    assert {item.oid for item in found} == {item.oid for item in written}
    place = {item.oid: number for number, item in enumerate(found)}
    names = {
        item.oid: [other.oid for other in written if _names(item, other.oid)] for item in written
    }
    assert sum(map(len, names.values())) == 28
    for oid, named in names.items():
        assert all(place[other] < place[oid] for other in named)


def _names(item: RawObject, oid: Oid) -> bool:
    return item.oid != oid and (oid.encode() in item.body or bytes.fromhex(oid) in item.body)


def test_a_part_that_is_here_is_left_to_git(there: Place, here: Place) -> None:
    """A fetch that was killed has left the commit without what it names."""
    leaf = blob(there, "a")
    root = tree(there, {"leaf": leaf})
    tip = commit(there, root)
    there.objects.write([leaf, root, tip])
    here.objects.write([tip])
    assert not copy([tip.oid], there, here)


def test_gaps_and_lies_are_left_to_git(there: Place, here: Place) -> None:
    leaf = blob(there, "a")
    root = tree(there, {"leaf": leaf})
    tip, orphan = commit(there, root), commit(there, root, Oid("1" * len(leaf.oid)))
    there.objects.write([root, tip, orphan])
    assert not copy([tip.oid], there, here)  # no blob
    there.objects.write([leaf])
    assert not copy([orphan.oid], there, here)  # history ends early: a shallow repository
    assert not copy([root.oid], there, here)  # no commit
    find = there.objects.find_many

    def forget(names: Sequence[str]) -> list[tuple[Kind, bytes] | None]:
        return [(i[0], b"b") if i and i[0] == "blob" else i for i in find(names)]

    with mock.patch.object(there.objects, "find_many", forget):
        assert not copy([tip.oid], there, here)  # a disk that forgets
    assert not here.has(tip.oid)
    assert copy([tip.oid], there, here)


@pytest.mark.parametrize(
    ("limit", "most"), [("_MOST_OBJECTS", 8), ("_MOST_BYTES", 500), ("_GENERATIONS", 2)]
)
def test_much_is_left_to_git(
    limit: str, most: int, there: Place, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip = there.commit(there.commit(there.commit()))
    leaves = {f"f{number}": blob(there, f"{number}" * 60) for number in range(9)}
    root = tree(there, leaves)
    wide = commit(there, root)
    there.objects.write([*leaves.values(), root, wide])
    monkeypatch.setattr(copying, limit, most)
    assert not copy([tip if limit == "_GENERATIONS" else wide.oid], there, here)
    monkeypatch.undo()
    assert copy([tip, wide.oid], there, here)


def test_a_copy_is_on_the_disk_and_ends_at_what_is_ours(
    there: Place, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is borrowed may be half of a fetch; what is loose may go with the power."""
    lender = Place(here.path.parent / "lender.git")
    (here.path / "objects" / "info" / "alternates").write_text("../../lender.git/objects\n")
    leaf = blob(there, "leaf")
    root = tree(there, {"leaf": leaf})
    old = commit(there, root, subject="old")
    new = commit(there, root, old.oid, subject="new")
    there.objects.write([leaf, root, old, new])
    lender.objects.write([old, new])  # and not what they name
    loose = set(here.path.glob("objects/[0-9a-f][0-9a-f]"))
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert copy([new.oid], there, here)
    assert whole(here, new.oid)
    everything = {leaf.oid, root.oid, old.oid, new.oid}
    assert here.objects.own(everything) == everything
    assert len(synced) == 2  # the pack and its index
    assert set(here.path.glob("objects/[0-9a-f][0-9a-f]")) == loose
    lender.close()
