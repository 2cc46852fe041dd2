"""What a service process may say, and what is known of a push then."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.pktline import encode
from gitbaton.git.fast.processes import ProcessLink
from gitbaton.git.fast.receive import Advertisement, Report
from gitbaton.git.fast.trouble import Declined, Lost, Unfit

FLUSH = b"0000"
ADVERTISED = encode(b"0" * 40 + b" capabilities^{}\0report-status atomic\n") + FLUSH
REPORTED = encode(b"unpack ok\n") + encode(b"ok refs/x\n") + FLUSH
REQUEST = b"0000"


class Scripted:
    """Starts a shell that says ``first``, reads all that it is told, says ``then``, and ends."""

    is_far = False

    def __init__(self, place: Path, first: bytes, then: bytes, status: int) -> None:
        self._place, self._status = place, status
        (place / "first").write_bytes(first)
        (place / "then").write_bytes(then)

    def prepare(self, service: str, deadline: Deadline, *, version: int = 0) -> Invocation:
        script = f"cat first; cat >/dev/null; cat then; exit {self._status}"
        return Invocation(["/bin/sh", "-c", script], os.environ, self._place)

    def ended_itself(self, status: int | None) -> bool:
        return status is not None and 0 <= status < 255  # as of ssh

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass


def push(
    place: Path, first: bytes, then: bytes = b"", *, look: bool, status: int = 0
) -> Report | None:
    link = ProcessLink(Scripted(place, first, then, status), "sha1")

    def compose(seen: Advertisement | None) -> bytes:
        assert (seen is not None) is look
        return REQUEST

    return link.push(compose, Deadline(30), look=look)


LOOKS = pytest.mark.parametrize("look", [False, True])


@LOOKS
@pytest.mark.parametrize("behind", [b"", b"Connection to host closed.\r\n", b"0"])
def test_a_whole_report_counts_whatever_comes_behind_it(
    tmp_path: Path, look: bool, behind: bytes
) -> None:
    report = push(tmp_path, ADVERTISED, REPORTED + behind, look=look, status=255)
    assert report is not None
    assert report.refs == {"refs/x": None}


@LOOKS
def test_a_no_in_place_of_the_advertisement_is_final(tmp_path: Path, look: bool) -> None:
    with pytest.raises(Declined, match=r"^not on Sundays$"):
        push(tmp_path, encode(b"ERR not on Sundays\n"), look=look, status=1)


def test_a_no_behind_the_advertisement_is_not(tmp_path: Path) -> None:
    """It may have been said after the commands were carried out."""
    with pytest.raises(Lost):
        push(tmp_path, ADVERTISED, encode(b"ERR too late\n"), look=False)


@pytest.mark.parametrize("said", [b"Welcome to host!\n", b"Welcome to host!\n" + ADVERTISED])
def test_a_login_shells_words_spoil_a_look_for_good(tmp_path: Path, said: bytes) -> None:
    with pytest.raises(Unfit) as caught:
        push(tmp_path, said, look=True)
    assert caught.value.lasting


@pytest.mark.parametrize("said", [encode(b"hello") + FLUSH, FLUSH])
def test_packets_that_are_no_advertisement_spoil_a_look_for_good(
    tmp_path: Path, said: bytes
) -> None:
    with pytest.raises(Unfit) as caught:
        push(tmp_path, said, look=True)
    assert caught.value.lasting


def test_behind_a_login_shells_words_a_push_may_have_been_done(tmp_path: Path) -> None:
    with pytest.raises(Lost) as caught:
        push(tmp_path, b"Welcome to host!\n" + ADVERTISED, REPORTED, look=False)
    assert caught.value.lasting


def test_a_service_that_ended_before_it_said_anything_did_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unfit):
        push(tmp_path, b"", look=False, status=128)


def test_of_a_connection_that_ended_nobody_knows(tmp_path: Path) -> None:
    """255 is ssh's own status: what the service said and did may be lost on the way."""
    with pytest.raises(Lost):
        push(tmp_path, b"", look=False, status=255)
    with pytest.raises(Lost):
        push(tmp_path, ADVERTISED, REPORTED[:-4], look=False)
