"""What is done without git, compared with git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitbaton.git.entries import EXECUTABLE, FILE, Entry
from gitbaton.git.indexfile import encode_index
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.treeview import TreeView
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.message import clean
from tests.integration.workspace.commit.house import House

LINE = st.sampled_from([b"", b" ", b"text", b"# c", b"x \t", b"\r", b"  in", b"\x0b", b"caf\xe9 "])
PART = st.sampled_from([b"a", b"b", b"a.b", b"a-", b"c d", b"\xff"])
PATH = st.lists(PART, min_size=1, max_size=3).map(b"/".join)

few = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(st.lists(LINE, max_size=8).map(b"\n".join))
def test_messages_are_cleaned_as_by_git_stripspace(house: House, text: bytes) -> None:
    assert clean(text, "whitespace") == house.raw("stripspace", stdin=text)
    assert clean(text, "strip") == house.raw("stripspace", "-s", stdin=text)


@few
@given(st.dictionaries(PATH, st.sampled_from([None, FILE, EXECUTABLE]), min_size=1, max_size=6))
def test_trees_are_grafted_as_by_a_whole_index(
    house: House, wanted: dict[bytes, int | None]
) -> None:
    """The tree is the one that git makes of its index after the same edits."""
    paths = [p for p, mode in wanted.items() if mode is not None]
    if any(q.startswith(p + b"/") for p in paths for q in paths):
        return  # a file and a directory at one place
    tree = WorkingTree.find(house.top, house.environment())
    objects = ObjectStore(tree.git, tree.common, tree.format)
    try:
        view = TreeView(objects, house.git("rev-parse", "HEAD^{tree}"))  # type: ignore[arg-type]
        blob = house.git("rev-parse", "HEAD:a.txt")
        edits = {p: None if mode is None else Entry(mode, blob) for p, mode in wanted.items()}  # type: ignore[arg-type]
        root, made = view.graft(edits)
        objects.write(made)
    finally:
        objects.close()
    index = {"GIT_INDEX_FILE": str(house.top.parent / "index")}
    other = House(house.top, index)
    other.git("read-tree", "HEAD")
    lines = [
        b"%06o %s\t%s\0" % (mode or 0, (blob if mode else "0" * 40).encode(), path)
        for path, mode in sorted(wanted.items(), key=lambda item: item[1] is not None)
    ]
    other.raw("update-index", "-z", "--index-info", stdin=b"".join(lines))
    assert root == other.git("write-tree")


def test_git_reads_the_indexes_that_we_write(house: House, tmp_path: Path) -> None:
    blob = house.git("rev-parse", "HEAD:a.txt")
    entries = {b"dir/x y": Entry(FILE, blob), b"z" * 5000: Entry(EXECUTABLE, blob)}  # type: ignore[arg-type]
    (tmp_path / "index").write_bytes(encode_index(entries, "sha1"))
    seen = subprocess.run(
        ["git", "ls-files", "-s", "-z"],
        cwd=house.top,
        env={**house.environment(), "GIT_INDEX_FILE": str(tmp_path / "index")},
        capture_output=True,
        check=True,
    ).stdout
    assert seen == b"".join(
        b"%o %s 0\t%s\0" % (entry.mode, blob.encode(), path) for path, entry in entries.items()
    )
