"""The ssh engine through a real sshd: one connection, its end, and links that go."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import Refused, RemoteUnreachable
from gitbaton.plans.inbox.addresses import parse_destination
from gitbaton.plans.inbox.opening import OpenInbox, open_inbox
from gitbaton.store.model import Unknown, make_key
from gitbaton.store.ssh.engine import SshStore
from gitbaton.store.ssh.ways import SshConnections
from tests.contract import test_records
from tests.contract.changes import created, put
from tests.hermetic import MARK
from tests.integration.inbox.stage import FlakyRelay, Stage
from tests.servers.site import Site

A = make_key("locks", "a")


@pytest.fixture
def link(ssh_remotes: Site) -> Iterator[FlakyRelay]:
    assert ssh_remotes.port is not None
    relay = FlakyRelay(ssh_remotes.port)
    yield relay
    relay.close()


@pytest.fixture
def stage(tmp_path: Path, ssh_remotes: Site) -> Stage:
    return Stage.make(tmp_path, ssh_remotes)


def masters() -> list[psutil.Process]:
    """Return the connections that this test's processes have in the background."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(MARK) == os.environ[MARK]
            words = " ".join(process.cmdline()) if ours and process.name() == "ssh" else ""
            # As it was called, and as it calls itself once it is in the background.
            if "baton-" in words and ("ControlMaster=yes" in words or "[mux]" in words):
                found.append(process)
        except psutil.Error:
            continue
    return found


def opened(stage: Stage, port: int | None, connections: SshConnections) -> OpenInbox:
    destination = parse_destination(stage.address(port))
    return open_inbox(destination, stage.env, SystemClock(), connections=connections)


@pytest.fixture
def connections(stage: Stage) -> SshConnections:
    return SshConnections(stage.env)


@pytest.fixture
def pair(stage: Stage, link: FlakyRelay, connections: SshConnections) -> Iterator[list[SshStore]]:
    """Two stores on the inbox, through the link."""
    inboxes = [opened(stage, link.port, connections) for _ in range(2)]
    stores = [there.inbox.store for there in inboxes]
    yield [store for store in stores if isinstance(store, SshStore)]
    for there in inboxes:
        there.close()


def test_it_keeps_the_contract(pair: list[SshStore]) -> None:
    """A few of the suite, which runs as a whole over a pipe."""
    store, other = pair
    test_records.test_a_new_store_is_empty(store)
    test_records.test_a_version_never_comes_back(store, other, 3)


def test_all_stores_of_a_process_share_one_connection(
    stage: Stage, link: FlakyRelay, connections: SshConnections
) -> None:
    before = {process.pid for process in masters()}
    two = opened(stage, link.port, connections)
    with closing(two), closing(opened(stage, link.port, connections)) as one:
        assert {process.pid for process in masters()} <= before, "nobody has asked anything"
        one.inbox.list()
        two.inbox.list()
        (made,) = [process for process in masters() if process.pid not in before]
        one.close()
        two.inbox.list()
        assert made.is_running()
    _, alive = psutil.wait_procs([made], timeout=10)
    assert not alive


def test_a_link_that_breaks_is_made_again(pair: list[SshStore], link: FlakyRelay) -> None:
    store, _ = pair
    version = created(store, A, {"n": 1})
    for _ in range(2):
        assert link.drop() > 0
        assert store.read().records[A].version == version


def test_a_link_that_stays_away_is_unreachable(pair: list[SshStore], link: FlakyRelay) -> None:
    store, _ = pair
    created(store, A, {"n": 1})
    link.cut()
    with pytest.raises(RemoteUnreachable):
        store.read()
    outcome_or_error: object
    try:
        outcome_or_error = put(store, make_key("locks", "b"), {"n": 1})
    except RemoteUnreachable as error:
        outcome_or_error = error
    assert isinstance(outcome_or_error, Unknown | RemoteUnreachable)


def test_a_link_that_falls_silent_does_not_hang(
    stage: Stage, link: FlakyRelay, pair: list[SshStore]
) -> None:
    """A cable pulled out: nothing is closed, nothing comes."""
    store, other = pair
    created(store, A, {"n": 1})
    other.read()
    link.silence()
    store._patience = 0.5
    with pytest.raises(RemoteUnreachable, match="in time"):
        store.read()
    other._patience = 0.5
    assert isinstance(put(other, make_key("locks", "b"), {"n": 1}), Unknown)


def test_threads_ask_at_once(pair: list[SshStore]) -> None:
    """Each on a channel of its own."""
    store, _ = pair
    created(store, A, {"n": 1})
    store.read()
    barrier = threading.Barrier(4)
    seen = []

    def ask() -> None:
        barrier.wait()
        seen.append(len(store.read().records))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 4


def test_a_host_without_baton_says_so(stage: Stage, link: FlakyRelay) -> None:
    env = {**stage.env, "BATON_REMOTE_COMMAND": "no-such-baton"}
    lacking = dataclasses.replace(stage, env=env)
    there = opened(lacking, link.port, SshConnections(env))
    with pytest.raises(Refused) as caught:
        there.inbox.list()
    assert caught.value.code == "no_baton"
    there.close()


def test_a_host_that_is_not_there_is_unreachable(stage: Stage, link: FlakyRelay) -> None:
    link.cut()
    there = opened(stage, link.port, SshConnections(stage.env))
    with pytest.raises(RemoteUnreachable):
        there.inbox.list()
    there.close()
