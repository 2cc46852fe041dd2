"""The count of pushes: kept through crashes, and by one clock only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.ids import Oid
from gitbaton.git.pushlog import MeteredRemote, PushLog
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, RefUpdate

UPDATE = RefUpdate("refs/baton/tasks/t1", None, Oid("1" * 40))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_pushes_count_for_as_long_as_is_asked(tmp_path: Path, clock: ManualClock) -> None:
    log = PushLog(tmp_path / "new" / "pushes", clock)
    assert log.count(60.0) == 0
    for _ in range(3):
        log.note()
        clock.advance(30.0)
    assert log.count(60.0) == 1
    assert log.count(61.0) == 2
    assert PushLog(tmp_path / "new" / "pushes", clock).count(3600.0) == 3, "by all processes"


def test_what_another_boot_or_a_torn_write_left_does_not_count(
    tmp_path: Path, clock: ManualClock
) -> None:
    """I4, I5: readings of two clocks are not compared, and a crash spoils one line at most."""
    path = tmp_path / "pushes"
    PushLog(path, ManualClock(origin="other-boot")).note()
    PushLog(path, ManualClock(start=1e6)).note()
    with path.open("ab") as file:
        file.write(b"test-boot\t10")
    log = PushLog(path, clock)
    log.note()
    assert log.count(3600.0) == 0, "the line after a torn one is torn as well"
    log.note()
    assert log.count(3600.0) == 1
    path.write_bytes(b"\xff\xfe\x00")
    assert log.count(3600.0) == 0


def test_a_large_log_begins_anew_and_forgets_nothing_recent(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "pushes"
    path.write_bytes(b"test-boot\t999.000\n" * 20_000)
    log = PushLog(path, clock)
    log.note()
    assert path.stat().st_size < 100
    assert log.count(60.0) == 20_001


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").touch()
    log = PushLog(tmp_path / "file" / "pushes", clock)
    log.note()
    assert log.count(60.0) == 0


class Idle:
    """A remote that takes everything; its session cannot be used at first."""

    url = "file:///nowhere"
    supports_atomic = True

    def list(self, prefixes: Sequence[str]) -> Listing:
        return Listing({})

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        pass

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        return {u.ref: RefResult(PushState.DONE) for u in updates}

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        choose({})
        return self.push(choose(None), atomic=False)

    def close(self) -> None:
        pass


def test_a_metered_remote_counts_what_it_sends_once(tmp_path: Path, clock: ManualClock) -> None:
    log = PushLog(tmp_path / "pushes", clock)
    remote = MeteredRemote(Idle(), log)
    assert (remote.url, remote.supports_atomic) == (Idle.url, True)
    remote.list([])
    remote.fetch({})
    remote.push_chosen(lambda refs: [])
    assert log.count(60.0) == 0
    assert remote.push([UPDATE], atomic=False)[UPDATE.ref].state is PushState.DONE
    assert log.count(60.0) == 1
    remote.push_chosen(lambda refs: [UPDATE])
    assert log.count(60.0) == 2
    remote.close()
