"""Many writers, here and through a link that breaks, and many readers: one inbox (I1, I4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.plans.inbox.addresses import parse_destination
from gitbaton.plans.inbox.inbox import Listing
from gitbaton.plans.inbox.opening import open_inbox
from tests.integration.inbox.stage import FlakyRelay, Stage, check_history
from tests.servers.site import Site

WRITERS, READERS, DROPS = 8, 4, 6


@pytest.fixture
def link(ssh_remotes: Site) -> Iterator[FlakyRelay]:
    """A link to the sshd."""
    assert ssh_remotes.port is not None
    relay = FlakyRelay(ssh_remotes.port)
    yield relay
    relay.close()


def storm(stage: Stage, link: FlakyRelay, place: Path, *, messages: int) -> None:
    """Send ``messages`` by eight writers, half of them over ssh, to four readers."""
    stop = place / "stop"
    share = messages // WRITERS
    logs = [place / f"reader-{number}" for number in range(READERS)]
    readers = [
        stage.start("read", f"reader-{number}", str(log), str(stop))
        for number, log in enumerate(logs)
    ]
    writers = [
        stage.start(
            "write", stage.address(link.port) if number % 2 else ".", f"w{number}", str(share)
        )
        for number in range(WRITERS)
    ]
    try:
        break_often(stage, link, total=share * WRITERS // 2)
        assert [writer.wait(240) for writer in writers] == [0] * WRITERS
        stop.touch()
        assert [reader.wait(30) for reader in readers] == [0] * READERS
    finally:
        for process in (*writers, *readers):
            process.kill()
            process.wait()
    handled = Counter(line for log in logs for line in log.read_text().splitlines())
    expected = {f"w{writer} {number}" for writer in range(WRITERS) for number in range(share)}
    assert handled.keys() == expected, "none was lost, none was made up"
    assert set(handled.values()) == {1}, "each was handled once"
    assert sum(bool(log.read_text()) for log in logs) > 1, "the readers shared the work"
    answered, takes = check_history(stage.path)
    assert len(answered) == len(expected)
    assert set(takes.values()) == {1}


def break_often(stage: Stage, link: FlakyRelay, *, total: int) -> None:
    """Cut the link, in use, each time when another part of what comes over it is there."""
    there = open_inbox(parse_destination("."), stage.env, SystemClock())
    try:
        for number in range(DROPS):
            wanted = total * (number + 1) // (DROPS + 2)
            # There is more to come, so whoever is cut off connects again.
            while _came_over_the_link(there.inbox.list()) < wanted or not link.drop():
                there.bell.arm()
                there.bell.wait(0.2)
    finally:
        there.close()


def _came_over_the_link(listing: Listing) -> int:
    """Count the messages of the writers that reach the inbox by ssh: those with odd numbers."""
    return sum(int(entry.letter.sender.removeprefix("w")) % 2 for entry in listing.entries)


@pytest.mark.race
def test_each_is_handled_once(ssh_remotes: Site, link: FlakyRelay, tmp_path: Path) -> None:
    """I1, I4: and each answered, and none lost."""
    storm(Stage.make(tmp_path, ssh_remotes), link, tmp_path, messages=160)


@pytest.mark.soak
@pytest.mark.race
def test_each_of_a_thousand_is_handled_once(
    ssh_remotes: Site, link: FlakyRelay, tmp_path: Path
) -> None:
    """I1, I4."""
    storm(Stage.make(tmp_path, ssh_remotes), link, tmp_path, messages=1000)


def test_a_reader_that_is_killed_leaves_its_message_to_the_next(tmp_path: Path) -> None:
    """I4: between delivery and response."""
    stage = Stage.make(tmp_path)
    log, stop = tmp_path / "log", tmp_path / "stop"
    writer = stage.start("write", ".", "w0", "1")
    assert stage.start("die", "doomed", "0.01").wait(30) == -9
    reader = stage.start("read", "reader", str(log), str(stop))
    assert writer.wait(60) == 0
    stop.touch()
    assert reader.wait(30) == 0
    assert log.read_text() == "w0 0\n"
    (takes,) = check_history(stage.path)[1].values()
    assert takes == 2
