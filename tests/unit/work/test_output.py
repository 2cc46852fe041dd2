"""The log of bounded size and the lines for whoever watches."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.work.output import LEAST_CAP, CappedLog, Lines, dropped_line


def test_below_the_cap_it_is_what_was_written(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "logs" / "x.log")
    log.write(b"one\n")
    log.write(b"two\n")
    assert (tmp_path / "logs" / "x.log").read_bytes() == b"one\ntwo\n"  # while it is open
    log.close()
    assert log.dropped == 0
    assert log.tail() == "one\ntwo\n"


@pytest.mark.parametrize("chunk", [1, 7, 1000, 5000, 100_000])
def test_beyond_the_cap_the_beginning_and_the_end_stay(tmp_path: Path, chunk: int) -> None:
    sent = b"".join(b"%06d\n" % n for n in range(3000))
    log = CappedLog(tmp_path / "x.log", cap=LEAST_CAP)
    for at in range(0, len(sent), chunk):
        log.write(sent[at : at + chunk])
        assert (tmp_path / "x.log").stat().st_size <= LEAST_CAP
    log.close()
    kept = (tmp_path / "x.log").read_bytes()
    head, tail = kept.split(dropped_line(log.dropped))
    assert sent.startswith(head)
    assert sent.endswith(tail)
    assert len(head) >= LEAST_CAP // 4
    assert len(tail) >= LEAST_CAP // 4
    assert len(head) + log.dropped + len(tail) == len(sent)
    assert kept.count(b"[baton:") == 1


@given(st.lists(st.binary(max_size=3000), max_size=40))
def test_no_byte_is_unaccounted_for(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.log"
    log = CappedLog(path, cap=LEAST_CAP)
    for part in parts:
        log.write(part)
    log.close()
    sent, kept = b"".join(parts), path.read_bytes()
    line = dropped_line(log.dropped) if log.dropped else b""
    assert len(kept) - len(line) + log.dropped == len(sent)
    assert len(kept) <= LEAST_CAP
    assert kept.endswith(sent[-LEAST_CAP // 4 :])


def test_the_tail_starts_with_a_whole_line(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "x.log", ending=20)
    log.write(b"a long line that is cut\nsecond\nthird\n")
    assert log.tail() == "second\nthird\n"
    log.write(b"x" * 100)
    assert log.tail() == "x" * 20
    log.close()


def test_an_old_log_is_replaced_and_is_private(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("old and longer than the new one")
    CappedLog(tmp_path / "y.log").close()
    log = CappedLog(tmp_path / "x.log")
    log.write(b"new")
    log.close()
    assert (tmp_path / "x.log").read_text() == "new"
    assert (tmp_path / "y.log").stat().st_mode & 0o077 == 0


def test_a_log_that_cannot_be_opened_is_given_up_with_the_reason(tmp_path: Path) -> None:
    log = CappedLog(tmp_path)  # a directory
    log.write(b"still taken\n")
    assert log.error is not None
    assert re.search("directory", log.error)
    assert log.tail() == "still taken\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_disk_is_given_up_with_the_reason() -> None:
    log = CappedLog(Path("/dev/full"))
    log.write(b"a\n")
    log.write(b"b\n")
    assert log.error is not None
    assert "No space" in log.error
    assert log.tail() == "a\nb\n"


def test_a_cap_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too small"):
        CappedLog(tmp_path / "x.log", cap=LEAST_CAP - 1)


def test_lines_are_cut_across_chunks_and_characters() -> None:
    lines = Lines()
    data = "eins\r\nzwölf\n\nrest".encode()
    got = [line for byte in data for line in lines.feed(bytes([byte]))]
    assert got == ["eins", "zwölf", ""]
    assert lines.feed(b"", final=True) == ["rest"]
    assert lines.feed(b"", final=True) == []


def test_a_line_without_end_is_cut_into_pieces() -> None:
    lines = Lines()
    got = lines.feed(b"x" * 10_000) + lines.feed(b"y\nz\n") + lines.feed(b"", final=True)
    assert "".join(got) == "x" * 10_000 + "yz"
    assert max(map(len, got)) == 4096


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert Lines().feed(b"a\xffb\n") == ["a\ufffdb"]


@given(st.lists(st.binary(max_size=50)))
def test_cutting_does_not_depend_on_the_chunks(parts: list[bytes]) -> None:
    one, many = Lines(), Lines()
    whole = one.feed(b"".join(parts), final=True)
    pieces = [line for part in parts for line in many.feed(part)] + many.feed(b"", final=True)
    assert pieces == whole
