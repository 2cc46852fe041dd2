"""What globs match, which are refused, and which meet."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.tasks.globs import LONGEST, check_glob, common_file, match, overlap


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/a.py", "src/b.py", False),
        ("src", "src/deep/a.py", True),
        ("src", "srcs/a.py", False),
        ("src/", "src", False),
        ("src/", "src/a", True),
        ("src/**", "src/a/b", True),
        ("src/**", "src", False),
        ("src/*", "src/a/b", False),
        ("src/*", "src/.hidden", True),
        ("**/test_*.py", "test_a.py", True),
        ("**/test_*.py", "a/b/test_a.py", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("?.py", "a.py", True),
        ("?.py", "ab.py", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[^a-c]x", "dx", True),
        ("[]]", "]", True),
        ("[*]", "*", True),
        ("[*]", "a", False),
        ("[a-]", "-", True),
        ("**", "a/b", True),
        ("*", "a/../b", False),
        ("naïve/*", "naïve/ß", True),
    ],
)
def test_match(glob: str, path: str, expected: bool) -> None:
    assert match(glob, path) is expected


@pytest.mark.parametrize(
    "glob",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "./a",
        "a//b",
        "a\\b",
        "a\nb",
        "a\0",
        "[abc",
        "[z-a]",
        "a**",
        "**b/c",
        "//",
        "\ud800",
        "x" * (LONGEST + 1),
    ],
)
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(InvalidInput, match="paths"):
        check_glob(glob)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/**", "src/a/b.py"),
        ("src", "src/a.py"),
        ("*.py", "a*"),
        ("**/a", "b/**"),
        ("a*b*c", "*abc"),
        ("[a-m]", "[m-z]"),
        ("x/**/y/**", "**/y/z"),
        ("..a", "*"),
        ("src/", "src"),
    ],
)
def test_globs_that_meet_name_a_file_that_both_match(one: str, other: str) -> None:
    shared = common_file(one, other)
    assert shared is not None
    assert match(one, shared)
    assert match(other, shared)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/*.py", "src/*.md"),
        ("src/*", "src/a/b"),
        ("[a-l]", "[m-z]"),
        ("a?", "a"),
        ("*/x?", "*/y"),
        ("[.]", "?"),
        ("[.][.]", "*"),
        ("docs/**", "src/**"),
    ],
)
def test_globs_that_cannot_meet(one: str, other: str) -> None:
    assert common_file(one, other) is None


def test_overlap_names_the_pair() -> None:
    found = overlap(["docs/*", "src/*.py"], ["lib/**", "src/a*"])
    assert found is not None
    assert found[:2] == ("src/*.py", "src/a*")
    assert overlap(["a"], ["b"]) is None


def test_hostile_globs_are_decided_quickly() -> None:
    assert common_file("*a" * 140 + "b", "*a" * 140 + "c") is None
