"""What words on the command line name."""

from __future__ import annotations

import os
import posixpath
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import Refused
from gitbaton.workspace.safecommit.naming import command, listed, resolve, shown, under_top

PART = st.sampled_from([b"a", b"b c", b"..", b".", b"", b"*", b"\xff", b":(top)x", b"-x"])
WORD = st.lists(PART, min_size=1, max_size=6).map(b"/".join)
PREFIX = st.lists(st.sampled_from([b"p", b"q"]), max_size=3).map(
    lambda p: b"".join(x + b"/" for x in p)
)


@given(WORD, PREFIX)
def test_a_word_is_read_as_by_its_letters(word: bytes, prefix: bytes) -> None:
    """I8: as normpath has it, or refused: nothing outside of the top is ever named."""
    top = b"/top/of it"
    absolute = word.startswith(b"/")
    expected = posixpath.normpath(word if absolute else top + b"/" + prefix + word)
    inside = expected == top or expected.startswith(top + b"/")
    if not word or absolute or not inside:
        with pytest.raises(Refused):
            resolve(word, prefix, top)
    else:
        try:
            assert resolve(word, prefix, top) == expected[len(top) + 1 :]
        except Refused:  # it came back in: `../it/x` is not followed
            assert b".." in word


@given(WORD)
def test_what_is_shown_can_be_typed(word: bytes) -> None:
    assert [os.fsencode(text) for text in shlex.split(shown(word))] == [word]


def test_absolute_words() -> None:
    assert resolve(b"/top/x/y", b"sub/", b"/top") == b"x/y"
    assert resolve(b"/top", b"sub/", b"/top") == b""
    with pytest.raises(Refused):
        resolve(b"/topping/x", b"", b"/top")


@pytest.mark.parametrize("word", [b".git", b".git/config", b"sub/.GIT/x"])
def test_git_directories_are_nobodys_to_commit(word: bytes) -> None:
    with pytest.raises(Refused, match="git directory"):
        resolve(word, b"", b"/top")


def test_a_top_behind_a_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "real/inner/link").symlink_to("nowhere")
    (tmp_path / "way").symlink_to("real")
    top = Path(os.path.realpath(tmp_path / "real"))
    word = os.fsencode(tmp_path / "way/inner/link")
    assert under_top(word, top) == os.fsencode(top / "inner/link")
    assert under_top(b"/elsewhere/x", top) == b"/elsewhere/x"


def test_commands_name_the_first_few() -> None:
    paths = [b"a", b"b c"]
    assert command(paths, "--recursive") == "baton commit --recursive a 'b c' -m MSG"
    assert command([b"x"] * 9).split() == ["baton", "commit", *["x"] * 8, "…", "-m", "MSG"]
    assert listed([b"x"] * 7) == "x, x, x, x, x and 2 more"
