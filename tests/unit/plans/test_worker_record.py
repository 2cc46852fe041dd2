"""The record of a worker: what comes back, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.plans.registry.record import (
    Address,
    State,
    WorkerRecord,
    decode_worker,
    encode_worker,
    host_name,
)

FULL = WorkerRecord(
    name="gpu-1",
    machine="rack7",
    session="0123456789abcdef" * 2,
    state=State.REFUSING,
    reason="node is 18.1; >=20 is required",
    capabilities=("gpu", "linux", "worker+gpu-1"),
    toolchain={"python": "3.11.2"},
    slots=2,
    busy=("shop.api",),
    load=0.4,
    interval=300.0,
    beat=17,
    address=Address(host="ada@rack7", path="/home/ada/shop"),
    versions={"baton": "0.1.0", "git": "2.39.5"},
    started_at="2026-05-07T03:12:00Z",
    beat_at="2026-05-07T03:22:00Z",
)


def test_a_worker_comes_back_as_it_was() -> None:
    for worker in (FULL, WorkerRecord(name="a b/c", machine="m")):
        assert decode_worker(worker.key, encode_worker(worker)) == worker


@pytest.mark.parametrize(
    "change",
    [
        {"format": None},
        {"format": 0},
        {"format": 2},
        {"format": True},
        {"name": "other"},
        {"name": "x\x1b[2J"},
        {"machine": ""},
        {"session": None},
        {"session": "../../x"},
        {"state": "asleep"},
        {"reason": "two\nlines"},
        {"capabilities": ["--all"]},
        {"capabilities": [f"c{n}" for n in range(301)]},
        {"toolchain": {"/bin/sh": "1"}},
        {"toolchain": {"node": "1\x1b[0m"}},
        {"slots": 0},
        {"busy": ["../x"]},
        {"load": -1},
        {"load": "high"},
        {"interval": 0},
        {"beat": -1},
        {"address": {"host": "-oProxyCommand=reboot", "path": "/x", "program": "baton"}},
        {"address": {"host": "h", "path": "--x", "program": "baton"}},
        {"address": {"host": "h", "path": "/x"}, "extra": 1},
        {"started_at": "yesterday"},
    ],
)
def test_what_is_no_worker_is_damaged(change: dict[str, Any]) -> None:
    """I8: what others wrote is data, and is checked whole."""
    with pytest.raises(DamagedRecord):
        decode_worker(FULL.key, {**encode_worker(FULL), **change})


@pytest.mark.parametrize("host", ["rack7", "ada@rack7", "10.0.0.1", "a-b.example.org", "_x"])
def test_a_host(host: str) -> None:
    assert host_name(host) == host


@pytest.mark.parametrize(
    "host", ["", "-v", "ada@-v", "a b", "h;reboot", "h:22", "$(x)", "h\n", "@h", "-l@h", "a/b"]
)
def test_what_ssh_must_not_get_is_no_host(host: str) -> None:
    """I8: a host is one word to ssh, and never an option."""
    with pytest.raises(InvalidInput):
        host_name(host)
