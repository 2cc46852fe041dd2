"""The lazy backlog is the board: whatever is edited, shared, corrupted or read before (I3, I6)."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.objects import Commit, Kind, Person, RawObject, encode_commit, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.runner import Git
from gitbaton.git.trees import edit_tree, walk_files
from gitbaton.store.gitengine import shelves
from gitbaton.store.gitengine.board import Board, read_board
from gitbaton.store.gitengine.cards import Card, Unreadable, encode_card, read_card
from gitbaton.store.gitengine.envelope import FORMAT, Envelope, encode_envelope
from gitbaton.store.gitengine.index import CardIndex
from gitbaton.store.gitengine.layout import parked_path, shard, unescape
from gitbaton.store.gitengine.shelves import Library

_SHARDS = ("00", "01", "02")
NAMES = [*[f"t{n}" for n in range(3000) if shard(f"t{n}") in _SHARDS][:20], "A b/c", "ü..lock"]
STRANGE = [
    "tasks/00/README",
    "tasks/00/%zz.json",
    "tasks/00/nested/t1.json",
    "tasks/zz/t1.json",
    "tasks/t1.json",
    f"tasks/{_SHARDS[0]}/{next(n for n in NAMES if shard(n) == _SHARDS[1])}.json",
    "live/t1.json",
    "README.md",
]

contents = st.one_of(
    st.integers(0, 3),  # a good card, one of four
    st.sampled_from([b"", b"{}", b"no json", b"\xff"]),
    st.just("another's"),  # a good card of another name
)
edits = st.dictionaries(
    st.sampled_from([parked_path(name) for name in NAMES] + STRANGE),
    st.one_of(st.none(), contents),
    max_size=6,
)
harms = st.sampled_from(["none", "truncate", "flip", "empty", "swap", "foreign", "remove"])
looks = st.lists(st.sampled_from([*NAMES, "never there"]), max_size=4)
steps = st.lists(st.tuples(edits, looks, st.booleans(), harms, st.booleans()), max_size=6)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A repository that all examples share: objects are named by what they say."""
    path = tmp_path_factory.mktemp("backlog")
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    store = ObjectStore(Git(path, dict(os.environ)), path, "sha1")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "_WORTH_KEEPING", 1)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_a_lazy_board_is_what_a_full_walk_finds(
    objects: ObjectStore,
    steps: list[tuple[dict[str, object], list[str], bool, str, bool]],
) -> None:
    """I3, I6: also of boards that were left behind, and whatever becomes of the index."""
    with tempfile.TemporaryDirectory() as directory:
        index = Path(directory) / "index"
        library = Library(objects, "tasks", CardIndex(index))
        tree: Oid | None = None
        kept: list[tuple[Board, Mapping[str, Card | Unreadable]]] = []
        for edit, names, whole, harm, restart in steps:
            tree = _edited(objects, tree, edit)
            board = read_board(objects, library, _committed(objects, tree))
            expected = _walked(objects, tree)
            kept.append((board, expected))
            found = board.parked.find(names)
            assert found == {name: expected.get(name) for name in names}
            if whole:
                _compare(board, expected)
            _damage(index, harm)
            if restart:  # another process of the clone
                library = Library(objects, "tasks", CardIndex(index))
        for board, shown in reversed(kept):
            _compare(board, shown)
            assert board.parked.find(NAMES) == {name: shown.get(name) for name in NAMES}


def test_the_index_spares_a_process_the_blobs(objects: ObjectStore, tmp_path: Path) -> None:
    """It is used at all: else the property above would say nothing of it."""
    tree = _edited(objects, None, {parked_path(name): 1 for name in NAMES})
    tip = _committed(objects, tree)
    first, second = (_Counted(objects) for _ in range(2))
    for counted in (first, second):
        library = Library(counted, "tasks", CardIndex(tmp_path / "index"))
        assert read_board(counted, library, tip).parked.count() == len(NAMES)
    assert first.asked - second.asked == len(NAMES)


def test_what_was_missing_for_a_moment_is_not_kept(objects: ObjectStore, tmp_path: Path) -> None:
    """I3: whoever mends the repository has the record back; the index does not deny it."""
    tree = _edited(objects, None, {parked_path(name): 1 for name in NAMES})
    tip = _committed(objects, tree)
    counts = []
    for missing in (True, False):
        counted = _Counted(objects, missing=missing)
        library = Library(counted, "tasks", CardIndex(tmp_path / "index"))
        counts.append(read_board(counted, library, tip).parked.count())
    assert counts == [0, len(NAMES)]


class _Counted(ObjectStore):
    """Counts the objects that it is asked for; those of files may be ``missing``."""

    def __init__(self, inner: ObjectStore, *, missing: bool = False) -> None:
        self._inner = inner
        self._missing = missing
        self.format = inner.format
        self.gap = inner.gap
        self.asked = 0

    def find_many(self, names: Sequence[str]) -> list[tuple[Kind, bytes] | None]:
        self.asked += len(names)
        found = self._inner.find_many(names)
        return [None if self._missing and f is not None and f[0] == "blob" else f for f in found]


def _compare(board: Board, expected: Mapping[str, Card | Unreadable]) -> None:
    cards = {name: card for name, card in expected.items() if isinstance(card, Card)}
    assert dict(board.parked.cards()) == cards
    assert board.parked.count() == len(cards)
    unreadable = {n: why for s in board.parked.shelves() for n, why in s.unreadable.items()}
    assert unreadable == {n: c.reason for n, c in expected.items() if isinstance(c, Unreadable)}


def _walked(objects: ObjectStore, tree: Oid) -> dict[str, Card | Unreadable]:
    """Return what is parked, from a walk over everything."""
    found: dict[str, Card | Unreadable] = {}
    for path, oid in walk_files(objects, tree):
        name = unescape(path.rpartition("/")[2].removesuffix(".json"))
        if name is not None and path == parked_path(name):
            found[name] = read_card("tasks", name, oid, objects.read(oid)[1])
    return found


def _edited(objects: ObjectStore, tree: Oid | None, edit: Mapping[str, object]) -> Oid:
    blobs: dict[str, Oid | None] = {}
    made: list[RawObject] = []
    for path, content in edit.items():
        blobs[path] = None
        if content is not None:
            blob = make_object("blob", _body(path, content), objects.format)
            made.append(blob)
            blobs[path] = blob.oid
    root, trees = edit_tree(objects, tree, blobs)
    objects.write([*made, *trees])
    return root


def _body(path: str, content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    name = unescape(path.rpartition("/")[2].removesuffix(".json")) or "x"
    named = "another" if content == "another's" else name
    number = content if isinstance(content, int) else 0
    envelope = Envelope(
        format=FORMAT,
        key=f"tasks/{named}",
        seq=number + 1,
        transaction="0" * 32,
        heartbeat=False,
        after=None,
        at="2026-01-01T00:00:00Z",
        actor="a",
        email="a@b",
        subject="test",
        value={"n": number},
    )
    return encode_card(Oid(f"{number}" * 40), encode_envelope(envelope))


def _committed(objects: ObjectStore, tree: Oid) -> Oid:
    body = encode_commit(Commit(tree, (), Person("a", "a@b", 0), "board"))
    commit = make_object("commit", body, objects.format)
    objects.write([commit])
    return commit.oid


def _damage(index: Path, harm: str) -> None:
    files = sorted(index.iterdir()) if index.is_dir() else []
    if not files or harm == "none":
        return
    data = files[0].read_bytes()
    match harm:
        case "truncate":
            files[0].write_bytes(data[: len(data) // 2])
        case "flip":
            files[0].write_bytes(bytes(byte ^ (place % 7 == 3) for place, byte in enumerate(data)))
        case "empty":
            files[0].write_bytes(b"")
        case "foreign":
            files[0].write_bytes(b"SQLite format 3\0" + data)
        case "swap":
            files[-1].replace(files[0])
        case "remove":
            files[0].unlink()
