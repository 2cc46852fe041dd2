"""What `worker serve` and `plan run` are made of: a clone's own part in the fleet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.app import open_app
from gitbaton.core.errors import InvalidInput
from gitbaton.fleet import Fleet
from gitbaton.hooks.event import event_from_news, event_from_work
from gitbaton.plans.health.rules import Outlook, judge
from gitbaton.plans.registry.presence import Presence
from gitbaton.plans.registry.pulse import Pulse
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.work.events import Kind, WorkEvent
from tests.functional.baton import Baton
from tests.functional.working import wait_until

AT = "2026-05-07T03:12:00Z"


@pytest.fixture
def fleet(baton: Baton, tmp_path: Path) -> Iterator[Fleet]:
    (baton.directory / "baton.toml").write_text(
        f"""\
[queue]
lease = "90s"
[toolchain]
git = ">=2"
no-such-tool = "*"
[hooks.log]
events = ["claim", "alert", "clear"]
command = "sh -c 'cat >> {tmp_path}/told'"
"""
    )
    app = open_app(baton.directory, baton.environment())
    yield Fleet(app)
    app.close()


def told(tmp_path: Path) -> list[dict[str, str]]:
    """What the hook was told so far."""
    log = tmp_path / "told"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_worker_announces_what_it_is_and_why_it_refuses(fleet: Fleet) -> None:
    record = fleet.describe("w1", slots=2, capabilities=["linux", "gpu"])
    assert record.reason == "no-such-tool is not on PATH; * is required"
    assert (record.interval, record.slots, record.capabilities) == (30.0, 2, ("gpu", "linux"))
    assert set(record.versions) == {"baton", "git"} and "git" in record.toolchain
    post = fleet.registry.announce(record)
    assert fleet.registry.list().found["w1"].presence is Presence.REFUSING
    pulse = Pulse(fleet.registry, post, fleet.registry._clock, Vitals)
    assert pulse.beat(), "the tool is there now: others should know at once"
    assert fleet.registry.list().found["w1"].available
    fleet.registry.withdraw(post)
    assert fleet.registry.list().found["w1"].presence is Presence.GONE


def test_work_and_alerts_reach_the_hooks(fleet: Fleet, tmp_path: Path) -> None:
    source = fleet.source("w1")
    with fleet.courier(pytest.fail) as courier:
        kinds: tuple[Kind, ...] = ("claimed", "output", "landed")
        for kind in kinds:
            event = event_from_work(WorkEvent(kind=kind, at=AT, text="x", task="t1"), source)
            if event is not None:
                courier.tell(event)
        now = fleet.registry._clock.now()
        for lacking in ({"p.x": "no worker has 'gpu'"}, {"p.x": "the same"}, {}):
            judgement = judge(Outlook(lacking=lacking), fleet.limits, now)
            fleet.alarms.update(judgement, lambda news: courier.tell(event_from_news(news, source)))
        wait_until(lambda: len(told(tmp_path)) == 3, "the hook")
    assert [each["event"] for each in told(tmp_path)] == ["claim", "alert", "clear"]
    assert {each["worker"] for each in told(tmp_path)} == {"w1"}


def test_hooks_are_those_of_the_start(fleet: Fleet, baton: Baton, tmp_path: Path) -> None:
    """I8: what is written into the checkout later, by whomever, runs nothing."""
    event = event_from_work(
        WorkEvent(kind="claimed", at=AT, text="x", task="t1"), fleet.source(None)
    )
    assert event is not None
    courier = fleet.courier(pytest.fail)
    (baton.directory / "baton.toml").write_text(
        f'[hooks.log]\nevents = ["all"]\ncommand = "touch {tmp_path}/owned"\n'
    )
    with courier:
        courier.tell(event)
        wait_until(lambda: told(tmp_path), "the hook")
    assert not (tmp_path / "owned").exists()


def test_a_requirement_that_is_none_is_refused(baton: Baton) -> None:
    (baton.directory / "baton.toml").write_text('[toolchain]\nnode = "20"\n')
    app = open_app(baton.directory, baton.environment())
    with pytest.raises(InvalidInput, match=r"toolchain\.node: '20' is no requirement.*>=20"):
        Fleet(app).describe("w1", slots=1, capabilities=[])
    app.close()
