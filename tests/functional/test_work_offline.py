"""The remote goes away while agents work: results wait, and land if their claim is still good."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from tests.functional.outage import away
from tests.functional.working import GATED, Place, add, kept_worktrees, tasks, work, working
from tests.servers.httpd import http_site
from tests.servers.relay import relay
from tests.servers.site import BareRepository


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


def test_a_result_waits_and_is_landed_by_the_same_worker(place: Place) -> None:
    clone = place.clone("clone")
    add(clone, {"id": "gated"})
    with working(clone, "--drain", "--lease", "6s") as worker:
        place.arrived("gated")
        with away(place.remote):
            place.let_go("gated")
            worker.until("queued", "gated")
        assert worker.end() == 0
    assert worker.kinds("gated") == ["claimed", "queued", "landed"]
    task = tasks(clone)["gated"]
    assert (task["status"], task["attempts"]) == ("done", 0)
    assert place.branch("task/gated") == task["result"]["commit"]
    assert place.rescues("gated") == []
    assert kept_worktrees(clone) == set()


def test_a_silent_link_keeps_no_slot_waiting(tmp_path: Path) -> None:
    """A cable pulled out: the transport waits a minute for an answer, the slot does not."""
    root = tmp_path / "served"
    root.mkdir()
    with http_site(root) as site, relay(site.port or 0) as link:
        remote = site.fresh()
        place = Place(tmp_path, remote)
        clone = place.clone("clone")
        add(clone, {"id": "gated"})
        clone.git("remote", "set-url", "origin", remote.through(link.port))
        with working(clone, "--drain", "--lease", "1h", agent=GATED) as worker:
            place.arrived("gated")
            link.silence()
            place.let_go("gated")
            began = SystemClock().elapsed()
            queued = worker.until("queued", "gated")
            assert SystemClock().elapsed() - began < 40
            link.restore()
            assert worker.end() == 0
    assert "has not answered for 5s" in queued["text"]
    assert worker.kinds("gated") == ["claimed", "queued", "landed"]
    assert place.branch("task/gated") is not None


def test_what_waits_is_sent_by_whoever_comes_next(place: Place) -> None:
    """Landed while the claim is current; rescued when somebody else was faster."""
    one, two = place.clone("one"), place.clone("two")
    for task, fate in (("gated", "landed"), ("late", "rescued")):
        add(one, {"id": task})
        with working(one, "--lease", "600s", agent=GATED) as worker:
            place.arrived(task)
            with away(place.remote):
                place.let_go(task)
                worker.until("queued", task)
                worker.signal(signal.SIGTERM)
                assert worker.end() == 130
        if fate == "rescued":
            two.ok("cancel", task)
        [sent] = one.ok("sync")["sent"]
        assert (sent["task"], sent["fate"]) == (task, fate)
    assert tasks(two)["gated"]["result"]["commit"] == place.branch("task/gated")
    assert place.branch("task/late") is None
    assert len(place.rescues("late")) == 1
    assert kept_worktrees(one) == set()


def test_a_worker_that_finds_nothing_sends_what_waits_before_it_ends(place: Place) -> None:
    """75 says that nothing was claimed, not that nothing was sent."""
    clone = place.clone("clone")
    add(clone, {"id": "gated"})
    with working(clone, "--lease", "600s", agent=GATED) as worker:
        place.arrived("gated")
        with away(place.remote):
            place.let_go("gated")
            worker.until("queued", "gated")
            worker.signal(signal.SIGTERM)
            assert worker.end() == 130
    status, once = work(clone, "--once")
    assert (status, once.kinds("gated")) == (75, ["landed"])
    assert place.branch("task/gated") == tasks(clone)["gated"]["result"]["commit"]
    assert kept_worktrees(clone) == set()


def test_a_failure_waits_too_and_its_work_is_rescued(place: Place) -> None:
    clone = place.clone("clone")
    add(clone, {"id": "gated", "max_attempts": 1, "checks": ["false"]})
    with working(clone, "--drain") as worker:
        place.arrived("gated")
        with away(place.remote):
            place.let_go("gated")
            worker.until("rescued", "gated")
        assert worker.end() == 1
    assert worker.kinds("gated")[:3] == ["claimed", "queued", "rescued"]
    assert tasks(clone)["gated"]["status"] == "failed"
    assert len(place.rescues("gated")) == 1


def test_once_without_a_remote_says_so(place: Place) -> None:
    clone = place.clone("clone")
    with away(place.remote):
        status, worker = work(clone, "--once")
    assert status == 69
    assert worker.events[-1]["error"]["code"] in ("unreachable", "no_repository")
