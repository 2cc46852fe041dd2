"""The traps of pushing and listing on stock git, one test each: first the trap, then our way.

A raw client (``tests.servers.rawgit``) walks into each. Where the cure is the store's (it reads
again, or keeps transactions apart), the test says so and shows what the transport reports to it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.answers import UP_TO_DATE
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from tests.integration.git.desk import Desk
from tests.integration.git.gates import stopping
from tests.servers.rawgit import (
    ZERO,
    Command,
    ReceivePack,
    UploadPack,
    pack,
    post_push,
)
from tests.servers.relay import relay
from tests.servers.site import BareRepository

RECORD, OTHER, BRANCH = "refs/baton/tasks/t1", "refs/baton/tasks/t2", "refs/heads/work"
ATOMIC = ("report-status", "atomic")
NOWHERE = "1" * 40  # an object id that no server has


def seed(desk: Desk, server: BareRepository, *refs: str) -> Oid:
    """Create ``refs`` on the server, all at one new commit; return it."""
    oid = desk.commit()
    fates = desk.remote(server).push([RefUpdate(ref, None, oid) for ref in refs], atomic=True)
    assert {fate.state for fate in fates.values()} == {PushState.DONE}
    return oid


def raw_push(server: BareRepository, desk: Desk, *commands: Command) -> dict[str, str]:
    """Push ``commands`` as an atomic push by the raw client, with the objects they need."""
    new = [c.new for c in commands if c.new != ZERO and desk.has(c.new)]
    session = ReceivePack(server.url, env=server.env)
    return session.push(commands, pack(desk.path, new), capabilities=ATOMIC)


def test_ignored_atomic(desk: Desk, file_remote: BareRepository) -> None:
    file_remote.configure("receive.advertiseAtomic", "false")
    there, mine = seed_plainly(desk, file_remote, RECORD), desk.commit()
    session = ReceivePack(file_remote.url)
    assert "atomic" not in session.advertised.capabilities
    report = session.push(
        [Command(NOWHERE, mine, RECORD), Command(ZERO, mine, BRANCH)],
        pack(desk.path, [mine]),
        capabilities=ATOMIC,
    )
    assert report[RECORD] != "ok"
    assert report[BRANCH] == "ok"  # the wish was ignored: the branch moved without the record
    assert file_remote.refs() == {RECORD: there, BRANCH: mine}

    remote, next_one = desk.remote(file_remote), desk.commit(mine)
    fates = remote.push(
        [RefUpdate(RECORD, there, next_one), RefUpdate(BRANCH, mine, next_one)], atomic=True
    )
    assert {fate.state for fate in fates.values()} == {PushState.UNSENT}
    assert remote.supports_atomic is False
    assert file_remote.refs() == {RECORD: there, BRANCH: mine}


def seed_plainly(desk: Desk, server: BareRepository, ref: str) -> Oid:
    """Create one ref on a server that may not know atomic pushes."""
    oid = desk.commit()
    assert desk.remote(server).push([RefUpdate(ref, None, oid)], atomic=False)[ref].state is (
        PushState.DONE
    )
    return oid


def test_mixed_pushes(desk: Desk, server: BareRepository) -> None:
    there, mine = seed(desk, server, RECORD), desk.commit()
    remote = desk.remote(server)
    lost = RefUpdate(RECORD, None, mine)
    # Two independent changes in one atomic push: the lost one takes the good one with it.
    fates = remote.push([lost, RefUpdate(OTHER, None, mine)], atomic=True)
    assert fates[OTHER].state is PushState.UNSENT
    # A dependent pair in a push that is not atomic: half of it is done.
    fates = remote.push([lost, RefUpdate(BRANCH, None, mine)], atomic=False)
    assert fates[BRANCH].state is PushState.DONE
    assert server.refs() == {RECORD: there, BRANCH: mine}
    # So ``atomic`` belongs to the push as a whole, and the store sends each kind on its own.


def test_a_lease_on_a_ref_that_is_not_pushed_is_no_guard(
    desk: Desk, server: BareRepository
) -> None:
    seed(desk, server, RECORD)
    mine = desk.commit()
    words = ["push", "--porcelain", "--atomic", f"--force-with-lease={RECORD}:{NOWHERE}"]
    git = desk.git_for(server)
    assert git.run(*words, server.url, f"{mine}:{BRANCH}", check=False).status == 0
    assert server.refs()[BRANCH] == mine
    # Nothing in RefUpdate can say "look at this ref, but do not move it".
    with pytest.raises(ValueError, match="does not move"):
        RefUpdate(RECORD, mine, mine)


def test_pruned_verify(desk: Desk, file_remote: BareRepository) -> None:
    lease = seed(desk, file_remote, RECORD)
    renewed, mine, later = desk.commit(), desk.commit(), desk.commit()
    desk.remote(file_remote).push([RefUpdate(RECORD, lease, renewed)], atomic=False)
    # The old lease is still in the server's object store: the guard holds.
    report = raw_push(file_remote, desk, Command(lease, lease, RECORD), Command(ZERO, mine, BRANCH))
    assert report[BRANCH] != "ok"
    assert BRANCH not in file_remote.refs()

    file_remote.git("prune", "--expire=now")
    report = ReceivePack(file_remote.url).push(
        [Command(lease, lease, RECORD), Command(ZERO, later, BRANCH)],
        pack(desk.path, [later]),
        capabilities=ATOMIC,
    )
    # The lease is another one by now, and the branch moved all the same.
    assert file_remote.refs() == {RECORD: renewed, BRANCH: later}
    assert report[BRANCH] == "ok"

    # Ours: what is relied on is rewritten, so the old value is a condition of the server's.
    fates = desk.remote(file_remote).push(
        [RefUpdate(RECORD, lease, desk.commit()), RefUpdate(BRANCH, later, mine)], atomic=True
    )
    assert fates[RECORD].state is PushState.STALE
    assert file_remote.refs() == {RECORD: renewed, BRANCH: later}


def test_zero_zero_deletes(desk: Desk, server: BareRepository) -> None:
    seed(desk, server, RECORD)
    command = Command(ZERO, ZERO, RECORD)
    if server.site.kind == "http":
        report = post_push(server.url, [command])
    else:
        report = ReceivePack(server.url, env=server.env).push([command])
    assert report[RECORD] == "ok"
    assert server.refs() == {}
    with pytest.raises(ValueError, match="from nothing to nothing"):
        RefUpdate(RECORD, None, None)


def test_delete_with_an_unknown_old_value(desk: Desk, server: BareRepository) -> None:
    there = seed(desk, server, RECORD, OTHER)
    command = Command(NOWHERE, ZERO, RECORD)
    if server.site.kind == "http":
        report = post_push(server.url, [command])
    else:
        report = ReceivePack(server.url, env=server.env).push([command])
    assert report[RECORD] == "ok"  # whatever the ref's value was
    assert server.refs() == {OTHER: there}

    fate = desk.remote(server).push([RefUpdate(OTHER, Oid(NOWHERE), None)], atomic=False)[OTHER]
    assert fate.state is PushState.STALE
    assert server.refs() == {OTHER: there}
    # Between its look and its push the server could still forget the value: so the store deletes
    # only what a permanent ref reaches.


def test_torn_listing(desk: Desk, file_remote: BareRepository) -> None:
    names = [f"refs/baton/{word}/ref" for word in ("one", "two", "three")]
    old = seed(desk, file_remote, *names)
    # The order in which git will read the three directories.
    order = [f"refs/baton/{word}/ref" for word in os.listdir(file_remote.path / "refs/baton")]
    first, middle, last = order
    slow = file_remote.path / middle
    slow.unlink()
    os.mkfifo(slow)
    listings: list[dict[str, Oid]] = []
    remote = desk.remote(file_remote)
    reader = threading.Thread(
        target=lambda: listings.append(dict(remote.list(["refs/baton/"]).refs))
    )
    reader.start()
    with slow.open("w") as pipe:  # returns when the server has come to read it
        new = desk.commit()
        file_remote.git("unpack-objects", "-q", stdin=pack(desk.path, [new]))
        moves = "".join(f"update {ref} {new} {old}\n" for ref in (first, last))
        file_remote.git("update-ref", "--stdin", stdin=moves.encode())
        slow.unlink()
        pipe.write(f"{old}\n")
    reader.join()
    # One transaction moved both; the listing has one of them from before and one from after.
    assert (listings[0][first], listings[0][last]) == (old, new)
    slow.write_text(f"{old}\n")
    assert dict(remote.list(["refs/baton/"]).refs) == {first: new, middle: old, last: new}
    # ``Listing`` promises no snapshot. The store finds the gap by the members that each version
    # names, and lists again.


@pytest.mark.parametrize("kind", ["ssh", "http"])
def test_lost_acknowledgement(desk: Desk, request: pytest.FixtureRequest, kind: str) -> None:
    server: BareRepository = request.getfixturevalue(f"{kind}_remote")
    there, mine = seed(desk, server, RECORD), desk.commit()
    assert server.site.port is not None
    fates: dict[str, RefResult] = {}
    with (
        relay(server.site.port) as link,
        stopping(server, "reference-transaction", state="committed") as gate,
    ):
        remote = desk.remote(server, url=server.through(link.port))
        pusher = threading.Thread(
            target=lambda: fates.update(remote.push([RefUpdate(RECORD, there, mine)], atomic=False))
        )
        pusher.start()
        gate.wait()
        link.cut()
        pusher.join()
        assert server.refs() == {RECORD: mine}
    assert fates[RECORD].state is PushState.UNKNOWN
    # Reading again tells: the ref has our value, which nobody else can have made (its nonce).
    assert dict(desk.remote(server).list([RECORD]).refs) == {RECORD: mine}


@pytest.mark.parametrize("kind", ["file", "ssh"])
def test_a_stale_listing_session(desk: Desk, request: pytest.FixtureRequest, kind: str) -> None:
    server: BareRepository = request.getfixturevalue(f"{kind}_remote")
    old, new = seed(desk, server, RECORD), desk.commit()
    session = UploadPack(server.url, env=server.env)
    try:
        assert session.refs("refs/baton/") == {RECORD: old}
        remote = desk.remote(server)
        # More than one new ref, so that nothing of it can be in the session's cache by luck.
        remote.push([RefUpdate(RECORD, old, new), RefUpdate(OTHER, None, new)], atomic=True)
        seen = session.refs("refs/baton/")
        assert OTHER not in seen  # the session keeps showing the refs of its start
        assert dict(remote.list(["refs/baton/"]).refs) == {RECORD: new, OTHER: new}
    finally:
        session.close()


@pytest.mark.parametrize("kind", ["file", "ssh"])
def test_a_push_session_opened_earlier_still_checks_when_it_acts(
    desk: Desk, request: pytest.FixtureRequest, kind: str
) -> None:
    server: BareRepository = request.getfixturevalue(f"{kind}_remote")
    old, new, mine = seed(desk, server, RECORD), desk.commit(), desk.commit()
    too_late = ReceivePack(server.url, env=server.env)
    in_time = ReceivePack(server.url, env=server.env)
    desk.remote(server).push([RefUpdate(RECORD, old, new)], atomic=False)
    assert too_late.advertised.refs == in_time.advertised.refs == {RECORD: old}
    packed = pack(desk.path, [mine])
    assert too_late.push([Command(old, mine, RECORD)], packed)[RECORD] != "ok"
    assert server.refs() == {RECORD: new}
    assert in_time.push([Command(new, mine, RECORD)], packed)[RECORD] == "ok"
    assert server.refs() == {RECORD: mine}


def test_a_push_over_http_without_any_look(desk: Desk, http_remote: BareRepository) -> None:
    old, mine = seed(desk, http_remote, RECORD), desk.commit()
    packed = pack(desk.path, [mine])
    stale = post_push(http_remote.url, [Command(NOWHERE, mine, RECORD)], packed)
    assert stale[RECORD] != "ok"
    assert http_remote.refs() == {RECORD: old}
    assert post_push(http_remote.url, [Command(old, mine, RECORD)], packed)[RECORD] == "ok"
    assert http_remote.refs() == {RECORD: mine}


def test_byte_identical_objects(desk: Desk, server: BareRepository, tmp_path: Path) -> None:
    sibling = desk.sibling(tmp_path / "sibling.git")
    mine, theirs = desk.exact_commit("claim"), sibling.exact_commit("claim")
    assert mine == theirs
    first = desk.remote(server).push([RefUpdate(RECORD, None, mine)], atomic=True)[RECORD]
    second = sibling.remote(server).push([RefUpdate(RECORD, None, theirs)], atomic=True)[RECORD]
    # Git tells both that all is well. Ours tells the second apart; the nonce in every record
    # keeps two honest clients from ever making the same bytes.
    assert first == RefResult(PushState.DONE)
    if desk.transport == "fast":  # it does not look, so it can say no more
        assert second.state is PushState.STALE
    else:
        assert second == RefResult(PushState.DONE, UP_TO_DATE)


def test_a_hidden_ref_leaves_half_of_an_atomic_push(desk: Desk, server: BareRepository) -> None:
    server.configure("transfer.hideRefs", "refs/baton/tasks")
    mine = desk.commit()
    fates = desk.remote(server).push(
        [RefUpdate(RECORD, None, mine), RefUpdate(BRANCH, None, mine)], atomic=True
    )
    assert server.refs() == {BRANCH: mine}
    # It cannot be prevented from here; it must be told truly, so that the store reads again.
    assert fates[RECORD].state is PushState.REFUSED
    assert fates[BRANCH].state is PushState.DONE


def test_a_missing_object_leaves_half_of_an_atomic_push(
    desk: Desk, file_remote: BareRepository
) -> None:
    mine, unsent = desk.commit(), desk.commit()
    report = ReceivePack(file_remote.url).push(
        [Command(ZERO, unsent, RECORD), Command(ZERO, mine, BRANCH)],
        pack(desk.path, [mine]),
        capabilities=ATOMIC,
    )
    assert report[RECORD] == "missing necessary objects"
    assert file_remote.refs() == {BRANCH: mine}
    # ``git push`` packs what its refs need or sends nothing at all.
    fates = desk.remote(file_remote).push(
        [RefUpdate(RECORD, None, unsent), RefUpdate(OTHER, None, Oid(NOWHERE))], atomic=True
    )
    assert PushState.DONE not in {fate.state for fate in fates.values()}
    assert file_remote.refs() == {BRANCH: mine}


def test_a_server_killed_between_two_refs_leaves_a_part_and_locks(
    desk: Desk, file_remote: BareRepository
) -> None:
    old, new = seed(desk, file_remote, RECORD, OTHER), desk.commit()
    # What such a server leaves: one ref moved, the other one's lock still there.
    file_remote.git("unpack-objects", "-q", stdin=pack(desk.path, [new]))
    file_remote.git("update-ref", RECORD, new, old)
    lock = file_remote.path / f"{OTHER}.lock"
    lock.write_text(f"{new}\n")
    remote = desk.remote(file_remote)
    assert dict(remote.list(["refs/baton/"]).refs) == {RECORD: new, OTHER: old}
    fate = remote.push([RefUpdate(OTHER, old, new)], atomic=False)[OTHER]
    assert fate.state is PushState.STALE  # for ever, though the ref never changes: doctor's case
    lock.unlink()
    assert remote.push([RefUpdate(OTHER, old, new)], atomic=False)[OTHER].state is PushState.DONE


def test_stock_git_says_the_same_of_a_lost_race_and_of_other_failures(
    desk: Desk, file_remote: BareRepository
) -> None:
    old, mine = seed(desk, file_remote, RECORD), desk.commit()
    git = desk.git
    lost = git.run(
        "push",
        f"--force-with-lease={RECORD}:{mine}",
        file_remote.url,
        f"{mine}:{RECORD}",
        check=False,
    )
    file_remote.hook("pre-receive", "exit 1")
    refused = git.run(
        "push",
        f"--force-with-lease={RECORD}:{old}",
        file_remote.url,
        f"{mine}:{RECORD}",
        check=False,
    )
    assert lost.status == refused.status == 1
    remote = desk.remote(file_remote)
    assert remote.push([RefUpdate(RECORD, mine, None)], atomic=False)[RECORD].state is (
        PushState.STALE
    )
    assert remote.push([RefUpdate(RECORD, old, mine)], atomic=False)[RECORD].state is (
        PushState.REFUSED
    )
