"""I8: no path enters a working tree that git would not let into an index (read-cache.c)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitbaton.git.entries import EXECUTABLE, FILE, GITLINK, SYMLINK
from gitbaton.git.safepath import find_unsafe, is_safe

BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
UNSEEN = ["\u200c", "\u200f", "\u202a", "\u202e", "\u206a", "\u206f", "\ufeff"]
PIECES = [
    *(".", "..", ".git", ".GIT", ".gIt", "git", "git~1", "GIT~1", "git~2", ".gi", "t", "x"),
    *(".gitmodules", ".GITmodules", "gitmod~1", "GITMOD~4", "gitmod~5", "gi7eba~1", "gi7eb~10"),
    *("gi7~1234", "~1000000", "gi7eba~0", ".gitignore", ".gitx", "hooks"),
    *("/", "\\", ":", " ", "stream", "\u00e9", "\u2010", *UNSEEN),
]
paths = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map(lambda some: "".join(some)),
    # A name that means the git directory, or nearly, with something done to it.
    st.tuples(
        st.sampled_from(["", "a/", "a\\", "./", "/"]),
        st.sampled_from([".git", "git~1", ".gitmodules", "gitmod~1", "gi7eba~2"]),
        st.sampled_from(["", ".", " ", "...", ". .", ":", "::$INDEX", *UNSEEN]),
        st.sampled_from(["", "/x", "\\x", "x"]),
    ).map(lambda four: "".join(four)),
).map(lambda text: text.encode())
ends = st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80", b"\xc0\xae"])
broken = st.tuples(paths, ends).map(lambda two: two[0] + two[1])
modes = st.sampled_from([FILE, EXECUTABLE, SYMLINK, GITLINK])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("judge")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    return top


def accepted_by_git(top: Path, files: list[tuple[bytes, int]]) -> list[bool]:
    """Ask git, on the strictest of its file systems, which of ``files`` an index may hold."""
    lines = b"".join(b"%o %s\t%s\0" % (mode, BLOB.encode(), path) for path, mode in files)
    strict = ["-c", "core.protectHFS=true", "-c", "core.protectNTFS=true"]
    (top / ".git/index").unlink(missing_ok=True)
    done = subprocess.run(
        ["git", *strict, "update-index", "-z", "--verbose", "--index-info"],
        cwd=top, input=lines, capture_output=True, check=True,
    )  # fmt: skip
    refused = done.stderr.split(b"\n")
    return [b"Ignoring path " + path not in refused for path, _ in files]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.one_of(paths, broken), modes), min_size=1, max_size=40, unique=True))
def test_what_git_refuses_is_refused_and_little_else(
    repository: Path, files: list[tuple[bytes, int]]
) -> None:
    for (path, mode), accepted in zip(files, accepted_by_git(repository, files), strict=True):
        if not accepted:
            assert not is_safe(path, mode), path
        elif not is_safe(path, mode):
            # Git looks behind some of the backslashes, and a link's directory may be .gitmodules.
            assert b"\\" in path or mode == SYMLINK, path


@pytest.mark.parametrize(
    "path",
    [
        *(
            b".git/hooks/post-commit",
            b"sub/.git/config",
            b".GIT/x",
            b"git~1/x",
            b"../evil",
            b"/evil",
        ),
        *(
            ".g\u200cit/config".encode(),
            b"a//b",
            b"a/",
            b".",
            b"",
            b".git",
            b".git. /x",
            b"x\\.git\\y",
        ),
        *(b".git::$INDEX_ALLOCATION/x", b"\\.git", b".git\xff"),
    ],
)
def test_the_ways_into_the_git_directory_are_barred(path: bytes) -> None:
    assert not is_safe(path, FILE)
    assert find_unsafe([(b"fine", FILE), (path, FILE)]) == {path}


@pytest.mark.parametrize(
    "path", [b".gitignore", b".github/x", b"git/x", b"a.git/x", b"...", b"\xff"]
)
def test_names_that_only_look_alike_are_fine(path: bytes) -> None:
    assert is_safe(path, FILE)
    assert find_unsafe([(path, FILE), (b"other", SYMLINK)]) == frozenset()


def test_gitmodules_is_no_link() -> None:
    assert is_safe(b".gitmodules", FILE)
    assert not is_safe(b".gitmodules", SYMLINK)
    assert not is_safe(b"GITMOD~1", SYMLINK)


def test_a_file_below_another_is_barred() -> None:
    assert find_unsafe([(b"d/x", FILE), (b"d", SYMLINK)]) == {b"d/x"}
