"""Deliverables that are files: kept as text, and looked for in what lands."""

from __future__ import annotations

import pytest

from gitbaton.tasks.deliverables import files_text, promised_files, undelivered


def test_globs_are_kept_as_text_and_found_again() -> None:
    globs = ("src/api/**", "docs/api.md")
    assert files_text(globs) == "files:\nsrc/api/**\ndocs/api.md"
    assert promised_files(files_text(globs)) == globs


@pytest.mark.parametrize("words", [None, "", "a silent gate", "see\nfiles:\nx", "files: x"])
def test_words_promise_no_file(words: str | None) -> None:
    assert promised_files(words) == ()


@pytest.mark.parametrize(
    ("glob", "delivered"),
    [
        ("docs/api.md", True),
        ("docs", True),  # a directory: any file below it
        ("docs/", True),
        ("docs/*.md", True),
        ("**/api.md", True),
        ("doc", False),
        ("docs/api.md/x", False),
        ("src/**", False),
        ("../docs/api.md", False),  # no glob: it counts as not delivered (I9)
        ("", False),
    ],
)
def test_each_glob_must_match_a_file(glob: str, delivered: bool) -> None:
    assert undelivered([glob], ["docs/api.md", "readme"]) == ([] if delivered else [glob])


def test_an_empty_tree_delivers_nothing() -> None:
    assert undelivered(["**"], []) == ["**"]
