"""Any path stands in JSON, and can be had back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.cli.output import encode_json
from gitbaton.cli.pathtext import path_bytes, path_text, quoted

PATHS = [b"plain", b"gr\xc3\xbcn", b"nu\xff\xfe", rb"nu\xff\xfe", b'"quoted"', b'a\xff"\\\t\n\x01b']


@given(st.binary() | st.sampled_from(PATHS))
def test_no_two_paths_look_alike(path: bytes) -> None:
    text = path_text(path)
    assert path_bytes(text) == path
    assert json.loads(encode_json({"path": text})) == {"path": text}


@pytest.mark.parametrize(
    ("path", "text"),
    [(b"gr\xc3\xbcn", "grün"), (rb"nu\xff", r"nu\xff"), (b"nu\xff\xfe", r'"nu\377\376"')],
)
def test_only_what_has_to_be_is_quoted(path: bytes, text: str) -> None:
    assert path_text(path) == text


def test_it_is_quoted_as_git_quotes_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    path = bytes(code for code in range(1, 256) if code != ord("/"))
    oid = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    subprocess.run(
        ["git", "update-index", "-z", "--index-info"],
        cwd=tmp_path,
        input=b"100644 " + oid.encode() + b"\t" + path + b"\0",
        check=True,
    )
    listed = subprocess.run(["git", "ls-files"], cwd=tmp_path, capture_output=True, check=True)
    assert listed.stdout.decode("ascii").rstrip("\n") == quoted(path)


def test_text_that_is_no_unicode_is_quoted_wherever_it_stands() -> None:
    document = {"error": {"message": "no \udcff", "words": ["grün", "\udce9"]}}
    assert json.loads(encode_json(document)) == {
        "error": {"message": r'"no \377"', "words": ["grün", r'"\351"']}
    }
