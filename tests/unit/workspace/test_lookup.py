"""What git takes for a path, and from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.workspace.lookup import rooted


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("../x.git", "/top/../x.git"),
        ("x.git", "/top/x.git"),
        ("./a:b", "/top/./a:b"),
        ("/x.git", "/x.git"),
        ("host:x.git", "host:x.git"),
        ("me@host:a/x.git", "me@host:a/x.git"),
        ("https://host/x.git", "https://host/x.git"),
        ("helper::x", "helper::x"),
        ("~me/x.git", "~me/x.git"),
        ("--upload-pack=x", "--upload-pack=x"),
        ("", ""),
    ],
)
def test_a_relative_path_starts_at_the_top(url: str, meant: str) -> None:
    assert rooted(url, Path("/top")) == meant


def test_a_place_that_cannot_be_printed_is_left_to_git() -> None:
    assert rooted("../x.git", Path("/to\np")) == "../x.git"
