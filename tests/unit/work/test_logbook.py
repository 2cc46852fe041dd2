"""Logs of claims: which is whose, and following one while its middle is thrown away."""

from __future__ import annotations

from pathlib import Path

from gitbaton.work.logbook import ClaimLog, LogReader, find_logs
from gitbaton.work.output import CappedLog

CAP = 4096


def test_logs_are_told_apart(tmp_path: Path) -> None:
    for name in (
        "a-e1.log",
        "a-e10.log",
        "a-e2.check-1.log",
        "a-e1-e3.log",
        "keep.log",
        "a-e0.log",
    ):
        (tmp_path / name).touch()
    assert find_logs(tmp_path) == [
        ClaimLog("a", 1, "", tmp_path / "a-e1.log"),
        ClaimLog("a", 2, "check-1", tmp_path / "a-e2.check-1.log"),
        ClaimLog("a", 10, "", tmp_path / "a-e10.log"),
        ClaimLog("a-e1", 3, "", tmp_path / "a-e1-e3.log"),
    ]


def test_a_log_is_read_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "a-e1.log"
    reader = LogReader(path)
    assert (reader.read(), reader.started) == ("", False)
    log = CappedLog(path, cap=CAP)
    log.write(b"one\ntw")
    assert reader.read() == "one\ntw"
    assert reader.read() == ""
    log.write("o\n\N{SNOWMAN}".encode()[:-1])
    assert reader.read() == "o\n"
    log.write("\N{SNOWMAN}".encode()[-1:])
    assert reader.read() == "\N{SNOWMAN}"
    log.write(b"\xff")
    assert reader.read(final=True) == "\N{REPLACEMENT CHARACTER}"
    log.close()


def test_a_shortened_log_goes_on_from_what_was_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a-e1.log"
    log, reader = CappedLog(path, cap=CAP), LogReader(path)
    lines = [f"line {number:04}\n" for number in range(2000)]
    read = ""
    for line in lines:
        log.write(line.encode())
        read += reader.read()
    log.close()
    seen = set(read.splitlines())
    assert {line.strip() for line in lines} <= seen, "a reader that keeps up misses nothing"
    assert "bytes dropped here]" in read


def test_a_reader_that_falls_behind_sees_that_it_did(tmp_path: Path) -> None:
    """Shortened and grown beyond the reader's place again: the bytes before it have changed."""
    path = tmp_path / "a-e1.log"
    log, reader = CappedLog(path, cap=CAP), LogReader(path)
    log.write(b"".join(b"early %05d\n" % number for number in range(200)))
    assert reader.read().endswith("early 00199\n")
    log.write(b"".join(b"later %05d\n" % number for number in range(360)))
    rest = reader.read()
    assert rest.startswith("\n[baton: ")
    assert rest.endswith("later 00359\n")
    log.close()
