"""Packs: with what the server has, they are whole; and they do not carry what it has."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.trouble import Unfit
from gitbaton.git.objects import (
    FILE_MODE,
    TREE_MODE,
    Commit,
    Person,
    RawObject,
    TreeEntry,
    encode_commit,
    encode_tree,
    make_object,
)
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import PushState, RefUpdate
from tests.integration.git.desk import Desk
from tests.servers.site import BareRepository

WHO = Person("agent", "agent@example.org", 1_700_000_000)
X, Y = "refs/baton/tasks/x", "refs/heads/y"


@pytest.fixture
def objects(desk: Desk) -> Iterator[ObjectStore]:
    with closing(ObjectStore(desk.git, desk.path, "sha1")) as store:
        yield store


class Author:
    """Makes commits with files in an object store; ``packed`` counts what a pack holds."""

    def __init__(self, desk: Desk, objects: ObjectStore) -> None:
        self._desk, self._objects = desk, objects
        self.packer = Packer(desk.git, objects)

    def commit(self, files: dict[str, bytes], *parents: Oid) -> Oid:
        """Make a commit of ``files``; a name is ``file`` or ``directory/file``."""
        made: list[RawObject] = []
        folders: dict[str, list[TreeEntry]] = {"": []}
        for path, content in files.items():
            folder, _, name = path.rpartition("/")
            blob = make_object("blob", content, "sha1")
            made.append(blob)
            folders.setdefault(folder, []).append(TreeEntry(FILE_MODE, name.encode(), blob.oid))
        for folder, entries in folders.items():
            if folder:
                tree = make_object("tree", encode_tree(entries), "sha1")
                made.append(tree)
                folders[""].append(TreeEntry(TREE_MODE, folder.encode(), tree.oid))
        top = make_object("tree", encode_tree(folders[""]), "sha1")
        body = encode_commit(Commit(top.oid, parents, WHO, f"{len(files)} files"))
        commit = make_object("commit", body, "sha1")
        self._objects.write([*made, top, commit])
        return commit.oid

    def seed(self, server: BareRepository, *commits: Oid) -> None:
        """Give the server ``commits`` with their history, under refs of their own."""
        for number, oid in enumerate(commits):
            self._desk.git.run("push", "-q", str(server.path), f"{oid}:refs/heads/seed{number}")


def contents(server: BareRepository, pack: bytes) -> set[str]:
    """Return the objects of a pack that can be added to ``server``, checked to be whole."""
    before = set(objects_of(server))
    server.git("unpack-objects", "-q", "--strict", stdin=pack)
    return set(objects_of(server)) - before


def objects_of(server: BareRepository) -> list[str]:
    listed = server.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return listed.split("\n") if listed else []


def assert_whole(server: BareRepository, tips: Sequence[Oid]) -> None:
    """Fail unless ``server`` has everything that ``tips`` reach."""
    server.git("rev-list", "--objects", "--quiet", *tips)


def test_a_new_version_of_a_record_is_three_objects(
    desk: Desk, objects: ObjectStore, file_remote: BareRepository
) -> None:
    author = Author(desk, objects)
    old = author.commit({"record.json": b"1", "with/a.json": b"a"})
    new = author.commit({"record.json": b"2", "with/a.json": b"a"}, old)
    author.seed(file_remote, old)
    pack = author.packer.pack_small([new], there=frozenset([old]), near=[old])
    assert pack is not None
    assert len(contents(file_remote, pack)) == 3
    assert_whole(file_remote, [new])


def test_nothing_new_is_an_empty_pack(desk: Desk, objects: ObjectStore) -> None:
    author = Author(desk, objects)
    commit = author.commit({"a": b"1"})
    pack = author.packer.pack_small([commit], there=frozenset([commit]))
    assert pack is not None
    assert len(pack) == 32


def test_an_ancestor_of_a_known_commit_is_known(
    desk: Desk, objects: ObjectStore, file_remote: BareRepository
) -> None:
    author = Author(desk, objects)
    claim = author.commit({"record.json": b"claim"})
    beat = author.commit({"record.json": b"beat 1"}, claim)
    again = author.commit({"record.json": b"beat 2"}, claim)  # replaces the first
    author.seed(file_remote, beat)
    pack = author.packer.pack_small([again], there=frozenset([beat]), near=[beat])
    assert pack is not None
    assert len(contents(file_remote, pack)) == 3


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_arrive_whole(
    desk: Desk, objects: ObjectStore, file_remote: BareRepository, seed: int
) -> None:
    """I3: whatever is known of the server, what is sent completes it."""
    rng, author = random.Random(seed), Author(desk, objects)
    commits: list[Oid] = []
    for _ in range(14):
        names = rng.sample(["a", "b", "d/a", "d/b", "e/a"], rng.randint(1, 5))
        files = {name: rng.choice([b"0", b"1", b"2"]) for name in names}
        parents = rng.sample(commits, min(len(commits), rng.randint(0, 2)))
        commits.append(author.commit(files, *parents))
    known = rng.sample(commits, rng.randint(0, 4))
    author.seed(file_remote, *known)
    tips = rng.sample(commits, 2)
    near = rng.sample(known, rng.randint(0, len(known)))
    pack = author.packer.pack_small(tips, there=frozenset(known), near=near)
    assert pack is not None
    contents(file_remote, pack)
    assert_whole(file_remote, tips)


def test_a_long_history_and_large_files_are_left_to_git(
    desk: Desk, objects: ObjectStore, file_remote: BareRepository
) -> None:
    author = Author(desk, objects)
    commits = [author.commit({"a": b"0"})]
    for number in range(80):
        commits.append(author.commit({"a": b"%d" % number}, commits[-1]))
    large = author.commit({"a": bytes(300_000)}, commits[-1])
    assert author.packer.pack_small([commits[-1]], there=frozenset(commits[:1])) is None
    assert author.packer.pack_small([large], there=frozenset(commits)) is None
    author.seed(file_remote, commits[0])
    unknown_here = Oid("1" * 40)
    pack = author.packer.pack_history(
        [large], there=frozenset([commits[0], unknown_here]), options=["--delta-base-offset"]
    )
    contents(file_remote, pack)
    assert_whole(file_remote, [large])


def test_an_object_that_is_not_here_cannot_be_packed(desk: Desk, objects: ObjectStore) -> None:
    missing = Oid("1" * 40)
    packer = Packer(desk.git, objects)
    assert packer.pack_small([missing], there=frozenset()) is None
    with pytest.raises(Unfit):
        packer.pack_history([missing], there=frozenset())


def test_what_was_pruned_on_the_server_is_sent_by_git(
    desk: Desk, objects: ObjectStore, server: BareRepository
) -> None:
    """A parent that the server had when we last looked, and has forgotten since."""
    author = Author(desk, objects)
    base, remote = author.commit({"a": b"1"}), desk.remote(server)
    remote.push([RefUpdate(X, None, base)], atomic=False)
    server.git("update-ref", "-d", X)
    server.git("prune", "--expire=now")
    assert objects_of(server) == []
    child = author.commit({"a": b"1", "b": b"2"}, base)
    fates = remote.push([RefUpdate(Y, None, child)], atomic=False)
    assert fates[Y].state is PushState.DONE
    assert_whole(server, [child])


def test_a_branch_with_a_history(
    desk: Desk, objects: ObjectStore, server: BareRepository, tmp_path: Path
) -> None:
    author = Author(desk, objects)
    commits = [author.commit({"a": b"0"})]
    for number in range(80):
        commits.append(author.commit({"a": b"%d" % number}, commits[-1]))
    remote = desk.remote(server)
    record = author.commit({"record.json": b"1"})
    updates = [RefUpdate(X, None, record), RefUpdate(Y, None, commits[40])]
    fates = remote.push(updates, atomic=True)
    assert {fate.state for fate in fates.values()} == {PushState.DONE}
    assert remote.push([RefUpdate(Y, commits[40], commits[-1])], atomic=False)[Y].state is (
        PushState.DONE
    )
    assert_whole(server, [record, commits[-1]])


def test_what_was_fetched_without_its_past_is_built_upon(
    desk: Desk, server: BareRepository, tmp_path: Path
) -> None:
    """Frames fetch their world so. The server has what is missing here."""
    first = desk.commit()
    second = desk.commit(first)
    desk.remote(server).push([RefUpdate(Y, None, second)], atomic=False)
    reader = desk.sibling(tmp_path / "reader.git")
    git = reader.git_for(server)
    git.run("fetch", "--quiet", "--depth=1", server.url, f"{Y}:refs/seen/y")
    assert not reader.has(first)
    third = reader.commit(second)
    remote = reader.remote(server)
    assert remote.push([RefUpdate(Y, second, third)], atomic=False)[Y].state is PushState.DONE
    server.git("fsck", "--connectivity-only", third)
    if desk.transport == "fast":
        assert getattr(remote, "why_plain", "no fast transport") is None


def test_a_shallow_clone_is_left_to_git(desk: Desk, server: BareRepository) -> None:
    """Where its history ends, only git knows how to tell the server."""
    (desk.path / "shallow.clone").write_text(f"{desk.commit()}\n")
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, desk.commit())], atomic=False)
    if desk.transport == "fast":
        assert getattr(remote, "why_plain", None) is not None
