"""Small indexes, written and read without git."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry
from gitbaton.git.indexfile import decode_index, encode_index, index_info
from gitbaton.git.objects import Format

PATH = st.binary(min_size=1, max_size=60).filter(lambda path: b"\0" not in path)
FORMATS: list[Format] = ["sha1", "sha256"]


@st.composite
def contents(draw: st.DrawFn) -> tuple[Format, dict[bytes, Entry]]:
    """An object format, and entries in it."""
    format = draw(st.sampled_from(FORMATS))
    digits = 40 if format == "sha1" else 64
    oid = st.text("0123456789abcdef", min_size=digits, max_size=digits).map(Oid)
    mode = st.sampled_from([FILE, EXECUTABLE, SYMLINK, GITLINK])
    return format, draw(st.dictionaries(PATH, st.builds(Entry, mode, oid), max_size=8))


@given(contents())
def test_what_is_written_is_read(given_: tuple[Format, dict[bytes, Entry]]) -> None:
    format, entries = given_
    assert decode_index(encode_index(entries, format), format) == entries


def test_long_paths() -> None:
    entries = {b"x" * 5000: Entry(FILE, Oid("1" * 40)), b"y": Entry(FILE, Oid("2" * 40))}
    assert decode_index(encode_index(entries, "sha1"), "sha1") == entries


def test_another_version_is_no_index_of_ours() -> None:
    data = bytearray(encode_index({}, "sha1"))
    data[7] = 4
    with pytest.raises(ValueError, match="version 4"):
        decode_index(bytes(data), "sha1")


def test_edits_for_git() -> None:
    edits = [(b"a b", Entry(FILE, Oid("1" * 40))), (b"gone", None)]
    assert index_info(edits, "sha1") == (
        b"100644 " + b"1" * 40 + b"\ta b\0" + b"000000 " + b"0" * 40 + b"\tgone\0"
    )
