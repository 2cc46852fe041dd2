"""The checker's own reading of path globs."""

from __future__ import annotations

import pytest

from tests.checker.globs import meet


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/main.py", "src/main.py"),
        ("src", "src/deep/down/main.py"),
        ("src/", "src/*"),
        ("**", "a"),
        ("**/*.py", "src/**/test_*"),
        ("*.py", "**/m?in.*"),
        ("a/**/z", "a/z"),
        ("[a-f]*.txt", "[!a-e]x.txt"),
        ("[]x]", "]"),
    ],
)
def test_globs_that_meet(one: str, other: str) -> None:
    assert meet([one], [other])
    assert meet([other], ["nothing", one])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/main.py", "src/main.pyc"),
        ("src", "source/main.py"),
        ("src/", "sr?"),
        ("*.py", "src/*.py"),
        ("a/**/z", "a/?y"),
        ("[a-e]", "[f-z]"),
        ("[!a]", "a"),
        ("x?", "x"),
        ("**/*.py", "**/*.md"),
    ],
)
def test_globs_that_do_not_meet(one: str, other: str) -> None:
    assert not meet([one], [other])
    assert not meet([other], [one])
