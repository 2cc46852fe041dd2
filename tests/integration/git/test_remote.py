"""Each transport against real servers: what each answer of a server becomes."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid
from gitbaton.git.answers import UP_TO_DATE
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from tests.integration.git.desk import Desk, Transport
from tests.servers.site import BareRepository, Site

X, Y, Z = "refs/baton/tasks/x", "refs/baton/tasks/y", "refs/heads/work"
DONE, STALE, REFUSED, UNSENT = (
    PushState.DONE,
    PushState.STALE,
    PushState.REFUSED,
    PushState.UNSENT,
)


def states(fates: dict[str, RefResult]) -> dict[str, PushState]:
    return {ref: fate.state for ref, fate in fates.items()}


def test_creates_replaces_and_deletes_by_the_old_value(desk: Desk, server: BareRepository) -> None:
    remote, first, second = desk.remote(server), desk.commit(), desk.commit()
    assert remote.push([RefUpdate(X, None, first)], atomic=False)[X].state is DONE
    assert remote.push([RefUpdate(X, first, second)], atomic=False)[X].state is DONE
    assert server.refs() == {X: second}
    assert remote.push([RefUpdate(X, second, None)], atomic=False)[X].state is DONE
    assert server.refs() == {}


def test_replaces_by_an_unrelated_commit_and_by_an_older_one(
    desk: Desk, server: BareRepository
) -> None:
    old = desk.commit()
    new = desk.commit(old)
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, new)], atomic=False)
    assert remote.push([RefUpdate(X, new, old)], atomic=True)[X].state is DONE
    assert server.refs() == {X: old}


@pytest.mark.parametrize("expected", ["absent", "another", "gone"])
def test_a_wrong_expectation_is_stale(desk: Desk, server: BareRepository, expected: str) -> None:
    there, other, mine = desk.commit(), desk.commit(), desk.commit()
    remote = desk.remote(server)
    if expected != "gone":
        remote.push([RefUpdate(X, None, there)], atomic=False)
    before = server.refs()
    old = None if expected == "absent" else other
    for new in (mine, None) if old else (mine,):
        assert remote.push([RefUpdate(X, old, new)], atomic=False)[X].state is STALE
    assert server.refs() == before


def test_refs_of_a_plain_push_are_decided_one_by_one(desk: Desk, server: BareRepository) -> None:
    there, mine = desk.commit(), desk.commit()
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)
    fates = remote.push([RefUpdate(X, None, mine), RefUpdate(Y, None, mine)], atomic=False)
    assert states(dict(fates)) == {X: STALE, Y: DONE}
    assert server.refs() == {X: there, Y: mine}
    assert remote.supports_atomic is None


def test_an_atomic_push_is_all_or_nothing(desk: Desk, server: BareRepository) -> None:
    there, mine = desk.commit(), desk.commit()
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, there)], atomic=False)
    fates = remote.push([RefUpdate(X, None, mine), RefUpdate(Y, None, mine)], atomic=True)
    assert states(dict(fates)) == {X: STALE, Y: UNSENT}
    assert server.refs() == {X: there}
    fates = remote.push([RefUpdate(X, there, mine), RefUpdate(Y, None, mine)], atomic=True)
    assert states(dict(fates)) == {X: DONE, Y: DONE}
    assert server.refs() == {X: mine, Y: mine}
    assert remote.supports_atomic is True


def test_what_is_there_already_is_told_apart(desk: Desk, server: BareRepository) -> None:
    mine, old = desk.commit(), desk.commit()
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, mine)], atomic=False)
    for expected in (None, old):
        fate = remote.push([RefUpdate(X, expected, mine)], atomic=False)[X]
        # Who does not look before can only be told that the old value is another one.
        blind = desk.transport == "fast"
        assert fate.state is STALE if blind else fate == RefResult(DONE, UP_TO_DATE)


def test_without_atomic_on_the_host_nothing_is_sent(desk: Desk, server: BareRepository) -> None:
    server.configure("receive.advertiseAtomic", "false")
    remote, mine = desk.remote(server), desk.commit()
    updates = [RefUpdate(X, None, mine), RefUpdate(Y, None, mine)]
    for _ in range(2):  # asked, then remembered
        assert states(dict(remote.push(updates, atomic=True))) == {X: UNSENT, Y: UNSENT}
        assert remote.supports_atomic is False
    assert server.refs() == {}
    assert states(dict(remote.push(updates, atomic=False))) == {X: DONE, Y: DONE}


@pytest.mark.parametrize("atomic", [False, True])
def test_a_pre_receive_hook_refuses_everything_with_its_reason(
    desk: Desk, server: BareRepository, atomic: bool
) -> None:
    server.hook("pre-receive", "printf 'only agents may push\\033[31m\\n' >&2; exit 1")
    mine = desk.commit()
    fates = desk.remote(server).push(
        [RefUpdate(X, None, mine), RefUpdate(Y, None, mine)], atomic=atomic
    )
    assert states(dict(fates)) == {X: REFUSED, Y: REFUSED}
    assert "pre-receive hook declined: only agents may push" in fates[X].reason
    assert "\033" not in fates[X].reason
    assert server.refs() == {}


@pytest.mark.parametrize("atomic", [False, True])
def test_an_update_hook_refuses_one_ref(desk: Desk, server: BareRepository, atomic: bool) -> None:
    server.hook("update", f'[ "$1" != {Y} ]')
    mine = desk.commit()
    fates = desk.remote(server).push(
        [RefUpdate(X, None, mine), RefUpdate(Y, None, mine)], atomic=atomic
    )
    assert states(dict(fates)) == {X: UNSENT if atomic else DONE, Y: REFUSED}
    assert server.refs() == ({} if atomic else {X: mine})


def test_rules_of_the_host_are_refusals(desk: Desk, server: BareRepository) -> None:
    server.configure("receive.denyNonFastForwards", "true")
    server.configure("receive.denyDeletes", "true")
    old, other = desk.commit(), desk.commit()
    remote = desk.remote(server)
    # Stock git holds these two against branches only; our own refs are free of them.
    remote.push([RefUpdate(Z, None, old), RefUpdate(X, None, old)], atomic=False)
    assert remote.push([RefUpdate(Z, old, other)], atomic=False)[Z].state is REFUSED
    assert remote.push([RefUpdate(Z, old, None)], atomic=False)[Z].state is REFUSED
    assert remote.push([RefUpdate(X, old, other)], atomic=False)[X].state is DONE
    assert server.refs() == {X: other, Z: old}


def test_a_hidden_ref_is_refused(desk: Desk, server: BareRepository) -> None:
    server.configure("transfer.hideRefs", "refs/baton/tasks")
    fate = desk.remote(server).push([RefUpdate(X, None, desk.commit())], atomic=False)[X]
    assert fate.state is REFUSED
    assert "hidden" in fate.reason
    assert server.refs() == {}


def test_a_lock_that_somebody_holds_is_a_lost_race(desk: Desk, server: BareRepository) -> None:
    first, second = desk.commit(), desk.commit()
    remote = desk.remote(server)
    remote.push([RefUpdate(X, None, first)], atomic=False)
    (server.path / f"{X}.lock").touch()
    fates = remote.push([RefUpdate(X, first, second), RefUpdate(Y, None, second)], atomic=False)
    # libcurl may have sent it twice; the fast transport never does.
    doubted = server.site.kind == "http" and desk.transport == "plain"
    lost = PushState.UNKNOWN if doubted else STALE
    assert states(dict(fates)) == {X: lost, Y: DONE}
    fates = remote.push([RefUpdate(X, first, second), RefUpdate(Y, second, first)], atomic=True)
    # The server says "atomic transaction failed" of both and blames neither.
    assert states(dict(fates)) == {X: lost, Y: lost}
    assert server.refs() == {X: first, Y: second}


def test_lists_exactly_what_starts_with_a_prefix(desk: Desk, server: BareRepository) -> None:
    oid = desk.commit()
    names = [X, Y, Z, "refs/heads/work2", "refs/tags/refs/baton/tasks/x", "refs/other/baton"]
    remote = desk.remote(server)
    assert remote.list(["refs/"]).refs == {}
    remote.push([RefUpdate(name, None, oid) for name in names], atomic=True)
    assert dict(remote.list(["refs/baton/"]).refs) == {X: oid, Y: oid}
    assert dict(remote.list(["refs/baton/tasks/x"]).refs) == {X: oid}
    assert dict(remote.list([Z, "refs/other/"]).refs) == {
        Z: oid,
        "refs/heads/work2": oid,
        "refs/other/baton": oid,
    }
    assert remote.list(["refs/heads/*", "refs/heads/wor[k]"]).refs == {}
    assert set(remote.list([""]).refs) == set(names)


def test_lists_by_several_hundred_prefixes(desk: Desk, file_remote: BareRepository) -> None:
    oid = desk.commit()
    remote = desk.remote(file_remote)
    names = [f"refs/baton/tasks/t{number:03}" for number in range(450)]
    fates = remote.push([RefUpdate(name, None, oid) for name in names], atomic=True)
    assert set(states(dict(fates)).values()) == {DONE}
    assert set(remote.list(names).refs) == set(names)


def test_fetches_history_and_writes_no_refs(
    desk: Desk, server: BareRepository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = desk.commit()
    tip, other = desk.commit(root), desk.commit()
    desk.remote(server).push([RefUpdate(X, None, tip), RefUpdate(Y, None, other)], atomic=True)
    reader = desk.sibling(tmp_path_factory.mktemp("reader") / "reader.git")
    # As if somebody had configured tracking for this very address.
    reader.git.run("config", "remote.origin.url", server.url)
    reader.git.run("config", "remote.origin.fetch", "+refs/*:refs/*")
    reader.git.run("config", "fetch.prune", "true")
    remote = reader.remote(server)
    remote.fetch({X: tip})
    assert reader.has(root)
    assert reader.has(tip)
    assert not reader.has(other)
    newer = desk.commit(tip)
    desk.remote(server).push([RefUpdate(X, tip, newer)], atomic=False)
    remote.fetch({X: newer, Y: other}, have=[tip])
    assert reader.has(newer)
    assert reader.has(other)
    assert reader.refs() == ""
    assert not (reader.path / "FETCH_HEAD").exists()


def test_a_ref_that_vanished_does_not_stop_the_others(
    desk: Desk, server: BareRepository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept, moved, gone = desk.commit(), desk.commit(), desk.commit()
    desk.remote(server).push([RefUpdate(X, None, kept), RefUpdate(Y, None, moved)], atomic=True)
    reader = desk.sibling(tmp_path_factory.mktemp("reader") / "reader.git")
    listed = {
        "refs/baton/tasks/a-gone": gone,
        X: kept,
        Y: gone,
        **{f"refs/baton/tasks/gone{number}": gone for number in range(20)},
    }
    reader.remote(server).fetch(listed, have=[Oid("1" * 40)])
    assert reader.has(kept)
    assert reader.has(moved)
    assert not reader.has(gone)
    reader.remote(server).fetch({"refs/baton/tasks/gone1": gone})
    assert reader.refs() == ""


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_both_object_formats(
    file_remotes: Site,
    tmp_path_factory: pytest.TempPathFactory,
    object_format: str,
    monkeypatch: pytest.MonkeyPatch,
    transport: Transport,
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", object_format)
    desk = Desk(tmp_path_factory.mktemp("desk") / "desk.git", transport)
    server = file_remotes.fresh(object_format=object_format)
    oid = desk.commit()
    assert desk.remote(server).push([RefUpdate(X, None, oid)], atomic=True)[X].state is DONE
    assert dict(desk.remote(server).list(["refs/baton/"]).refs) == {X: oid}
    desk.close()


def test_the_users_configuration_adds_nothing_to_a_push(desk: Desk, server: BareRepository) -> None:
    (desk.path / "hooks").mkdir(exist_ok=True)
    hook = desk.path / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    for name, value in (
        ("push.followTags", "true"),
        ("push.gpgSign", "if-asked"),
        ("push.recurseSubmodules", "check"),
        ("push.useForceIfIncludes", "true"),
        ("push.default", "nothing"),
    ):
        desk.git.run("config", name, value)
    oid = desk.commit()
    desk.git.run("tag", "-a", "-m", "tag", "v1", oid)
    assert desk.remote(server).push([RefUpdate(X, None, oid)], atomic=True)[X].state is DONE
    assert server.refs() == {X: oid}


def test_hostile_names_never_reach_an_argument_list(
    desk: Desk, file_remote: BareRepository
) -> None:
    oid = desk.commit()
    remote = desk.remote(file_remote)
    for name in ("--upload-pack=x", "refs/a:refs/b", "+refs/a", "refs/a b", "refs/*", "refs/a\nb"):
        with pytest.raises(InvalidInput):
            remote.push([RefUpdate(name, None, oid)], atomic=False)
        with pytest.raises(InvalidInput):
            remote.fetch({name: oid})
    for bad in ("--all", "HEAD", oid[:12]):
        with pytest.raises(InvalidInput):
            remote.push([RefUpdate(X, None, Oid(bad))], atomic=False)
        with pytest.raises(InvalidInput):
            remote.fetch({X: oid}, have=[Oid(bad)])
    for url in ("--upload-pack=touch /tmp/x", "", "a\nb"):
        with pytest.raises(InvalidInput):
            desk.remote(file_remote, url=url or "\t")
    assert file_remote.refs() == {}
