"""Records of a repository at a path are moved without receive-pack, where nothing is lost by it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

import pytest

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.flock import lock_now
from gitbaton.core.ids import Oid
from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.direct import DirectRemote, RefFiles
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from gitbaton.git.runner import Git
from tests.integration.git.desk import Desk
from tests.servers.site import BareRepository

A, B, C = (f"refs/baton/tasks/{name}" for name in "abc")
DONE, STALE, REFUSED, UNKNOWN = (
    PushState.DONE,
    PushState.STALE,
    PushState.REFUSED,
    PushState.UNKNOWN,
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A client with the fast transport."""
    made = Desk(tmp_path / "desk.git", "fast")
    yield made
    made.close()


@pytest.fixture
def remote(desk: Desk, file_remote: BareRepository) -> DirectRemote:
    """The transport to a fresh repository at a path."""
    made = desk.remote(file_remote)
    assert isinstance(made, DirectRemote)
    return made


@pytest.fixture
def received(file_remote: BareRepository, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many times the next pushes have started receive-pack."""
    from gitbaton.git.fast.local import LocalStarter

    started: list[str] = []
    prepare = LocalStarter.prepare

    def watched(self: LocalStarter, service: str, *args: object, **kw: object) -> object:
        started.append(service)
        return prepare(self, service, *args, **kw)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalStarter, "prepare", watched)
    return lambda: started.count("git-receive-pack")


def place(remote: DirectRemote, desk: Desk, *refs: str) -> list[Oid]:
    """Create ``refs``; return their values."""
    values = [desk.commit() for _ in refs]
    updates = [RefUpdate(r, None, v) for r, v in zip(refs, values, strict=True)]
    fates = remote.push(updates, atomic=False)
    assert all(fate.state is DONE for fate in fates.values())
    return values


def test_a_record_is_moved_without_receive_pack(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, received: Callable[[], int]
) -> None:
    [old] = place(remote, desk, A)
    assert received() == 1  # what is created goes the usual way
    new = desk.commit(old)
    assert remote.push([RefUpdate(A, old, new)], atomic=False)[A].state is DONE
    assert received() == 1
    assert file_remote.refs() == {A: new}
    file_remote.git("fsck", "--strict", "--connectivity-only")


def test_each_of_several_is_decided_on_its_own(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, received: Callable[[], int]
) -> None:
    """I1: who names an old value that is no longer there loses, and holds nobody up."""
    a, b, c = place(remote, desk, A, B, C)
    new = [desk.commit(old) for old in (a, b, c)]
    wrong = desk.commit()
    updates = [RefUpdate(A, a, new[0]), RefUpdate(B, wrong, new[1]), RefUpdate(C, c, new[2])]
    fates = remote.push(updates, atomic=False)
    assert [fates[ref].state for ref in (A, B, C)] == [DONE, STALE, DONE]
    assert file_remote.refs() == {A: new[0], B: b, C: new[2]}
    assert received() == 1


def test_packed_refs_are_moved_and_read(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    [old, other] = place(remote, desk, A, B)
    file_remote.git("pack-refs", "--all")
    seen = RefFiles(file_remote.path)
    assert (seen[A], seen.get(C), dict(seen)) == (old, None, {A: old, B: other})
    new = desk.commit(old)
    assert remote.push([RefUpdate(A, old, new)], atomic=False)[A].state is DONE
    assert RefFiles(file_remote.path)[A] == new
    with pytest.raises(KeyError):
        RefFiles(file_remote.path)["refs/../HEAD"]


def test_a_ref_that_is_packed_while_refs_are_read_has_its_value(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """What looks as if it had moved on is passed over by those who choose."""
    [packed] = place(remote, desk, B)
    file_remote.git("pack-refs", "--all")
    [loose] = place(remote, desk, A)
    seen = RefFiles(file_remote.path)
    assert seen[B] == packed
    file_remote.git("pack-refs", "--all")
    assert seen[A] == loose


@pytest.mark.parametrize("hook", ["pre-receive", "update", "reference-transaction"])
def test_hooks_are_obeyed(
    hook: str, remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """I9: one that is installed while we are connected counts from the next push on."""
    [old] = place(remote, desk, A)
    first, second = desk.commit(old), desk.commit(old)
    assert remote.push([RefUpdate(A, old, first)], atomic=False)[A].state is DONE
    file_remote.hook(hook, "exit 1")
    assert remote.push([RefUpdate(A, first, second)], atomic=False)[A].state is not DONE
    assert file_remote.refs() == {A: first}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("receive.denyNonFastForwards", "true"),
        ("receive.fsckObjects", "true"),
        ("transfer.hideRefs", "refs/baton"),
        ("core.hooksPath", "/nowhere"),
        ("core.sharedRepository", "group"),
        ("core.fsync", "all"),
        ("gc.pruneExpire", "now"),
    ],
)
def test_rules_shut_the_door(
    name: str,
    value: str,
    remote: DirectRemote,
    desk: Desk,
    file_remote: BareRepository,
    received: Callable[[], int],
) -> None:
    [old] = place(remote, desk, A)
    new = desk.commit(old)
    file_remote.configure(name, value)
    fate = remote.push([RefUpdate(A, old, new)], atomic=False)[A]
    assert received() == 2
    assert fate.state is (REFUSED if name == "transfer.hideRefs" else DONE)


def test_rules_that_cannot_be_read_shut_the_door(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """I9: git was killed while it told them, say."""
    place(remote, desk, A)
    assert remote._doorway.is_open()
    script = file_remote.path / "silent"
    script.write_text("#!/bin/sh\nkill -9 $$\n")
    script.chmod(0o755)
    file_remote.configure("gitbaton.changed", "true")  # so that they are read again
    told = remote._doorway.git
    silent = Git(told.directory, told.env, told.options, str(script))
    with mock.patch.object(remote._doorway, "git", silent):
        assert not remote._doorway.is_open()


def test_rules_that_stand_elsewhere_are_read_again(
    remote: DirectRemote,
    desk: Desk,
    file_remote: BareRepository,
    received: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """I9: a file that the configuration includes, or the user's own, has changed since."""
    [old] = place(remote, desk, A)
    rules = file_remote.path / "rules"
    rules.touch()
    file_remote.configure("include.path", "rules")
    assert remote._doorway.is_open()
    rules.write_text("[transfer]\n\thideRefs = refs/baton\n")
    monkeypatch.setattr("gitbaton.git.fast.doorway._TRUSTED", -1.0)
    assert remote.push([RefUpdate(A, old, desk.commit(old))], atomic=False)[A].state is REFUSED
    assert received() == 2


def test_branches_and_atomic_pushes_go_through_the_door(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, received: Callable[[], int]
) -> None:
    branch = "refs/heads/main"
    a, main = place(remote, desk, A, branch)
    new = [desk.commit(a), desk.commit(main)]
    updates = [RefUpdate(A, a, new[0]), RefUpdate(branch, main, new[1])]
    fates = remote.push(updates, atomic=True)
    assert (fates[A].state, fates[branch].state, received()) == (DONE, DONE, 2)
    later = desk.commit(new[1])
    assert remote.push([RefUpdate(branch, new[1], later)], atomic=False)[branch].state is DONE
    assert received() == 3


def test_a_locked_ref_is_stale_and_its_neighbour_is_moved(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """I4: a killed server has left a lock."""
    a, b = place(remote, desk, A, B)
    (file_remote.path / f"{A}.lock").touch()
    new = [desk.commit(a), desk.commit(b)]
    fates = remote.push([RefUpdate(A, a, new[0]), RefUpdate(B, b, new[1])], atomic=False)
    assert (fates[A].state, fates[B].state) == (STALE, DONE)


def test_a_choice_is_made_again_when_somebody_was_faster(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, received: Callable[[], int]
) -> None:
    a, b = place(remote, desk, A, B)
    seen: list[Oid | None] = []

    def choose(refs: object) -> Sequence[RefUpdate]:
        assert isinstance(refs, RefFiles)
        seen.append(refs.get(A))
        if seen == [a]:
            file_remote.git("update-ref", A, b)  # while our objects are written
            return [RefUpdate(A, a, desk.commit(a))]
        return [RefUpdate(B, b, desk.commit(b))]

    assert remote.push_chosen(choose)[B].state is DONE
    assert (seen, received()) == ([a, b], 1)


def test_who_has_lost_is_not_sent_and_the_others_are(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, received: Callable[[], int]
) -> None:
    """I1: git ends at the first transaction that fails, and a new one costs a process."""
    a, b = place(remote, desk, A, B)
    mine = desk.commit(b)

    def choose(refs: object) -> Sequence[RefUpdate]:
        file_remote.git("update-ref", A, b)
        return [RefUpdate(A, a, desk.commit(a)), RefUpdate(B, b, mine)]

    with mock.patch.object(remote._transactions, "move", wraps=remote._transactions.move) as moved:
        fates = remote.push_chosen(choose)
    assert [fates[ref].state for ref in (A, B)] == [STALE, DONE]
    [call] = moved.call_args_list
    assert [update.ref for update in call.args[0]] == [B]
    assert received() == 1  # neither there nor through the door
    assert file_remote.refs() == {A: b, B: mine}


def test_who_loses_every_time_is_told_so(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    [a, *others] = place(remote, desk, A, B, C, "refs/baton/tasks/d")
    asked: list[Oid] = []

    def choose(refs: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
        assert refs is not None
        asked.append(refs[A])
        file_remote.git("update-ref", A, others[len(asked) - 1])
        return [RefUpdate(A, asked[-1], desk.commit(asked[-1]))]

    assert remote.push_chosen(choose)[A].state is STALE
    assert asked[0] == a
    assert len(set(asked)) == 3


def test_choices_of_one_machine_are_made_one_after_the_other(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """Nobody is faster between a choice and its move, and nobody waits for a push of its own."""
    place(remote, desk, A, B)
    turns = file_remote.path / "refs"

    def is_taken() -> bool:
        handle = os.open(turns, os.O_RDONLY)
        try:
            return not lock_now(handle)
        finally:
            os.close(handle)

    taken: list[bool] = []
    move = remote._transactions.move

    def watched(updates: Sequence[RefUpdate], deadline: Deadline) -> dict[str, RefResult]:
        taken.append(is_taken())
        return move(updates, deadline)

    def choose(refs: Mapping[str, Oid] | None, *names: str) -> Sequence[RefUpdate]:
        assert refs is not None
        taken.append(is_taken())
        return [RefUpdate(ref, refs[ref], desk.commit(refs[ref])) for ref in names]

    with mock.patch.object(remote._transactions, "move", watched):
        for names, turn in (((A, B), True), ((A, B), True), ((A,), True), ((A,), False)):
            fates = remote.push_chosen(lambda refs, names=names: choose(refs, *names))  # type: ignore[misc]
            assert all(fates[ref].state is DONE for ref in names)
            assert (taken, is_taken()) == ([turn, turn], False)
            taken.clear()
        now = file_remote.refs()[B]
        assert (
            remote.push([RefUpdate(B, Oid(now), desk.commit(now))], atomic=False)[B].state is DONE
        )
        assert taken == [False]


def test_what_others_did_to_records_arrives_without_git_fetch(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository, tmp_path: Path
) -> None:
    [old] = place(remote, desk, A)
    reader = desk.sibling(tmp_path / "reader.git")
    theirs = reader.remote(file_remote)
    assert isinstance(theirs, DirectRemote)
    with mock.patch.object(theirs._inner, "fetch") as fetch:
        theirs.fetch({A: old}, have=[old])
        assert reader.has(old)
        assert fetch.call_count == 0
        theirs.fetch({A: old})
        assert fetch.call_count == 1  # who has nothing yet: there may be much to bring
    file_remote.configure("transfer.hideRefs", "refs/hidden")  # the door is shut
    [new] = place(remote, desk, B)
    with mock.patch.object(theirs._inner, "fetch") as fetch:
        theirs.fetch({B: new}, have=[old])
    assert fetch.called


def test_git_that_was_killed_before_it_answered_is_unknown(
    remote: DirectRemote, desk: Desk
) -> None:
    """I4: it may have moved the ref, and only a look can tell."""
    [old] = place(remote, desk, A)
    new = desk.commit(old)
    # Prepared and told so, then nothing: as if the power had gone between the two.
    script = "read a; echo start: ok; read b; read c; echo prepare: ok; kill -9 $$"
    dying = Invocation(["sh", "-c", script], os.environ, desk.path)
    with mock.patch.object(remote._transactions, "_how", dying):
        assert remote.push([RefUpdate(A, old, new)], atomic=False)[A].state is UNKNOWN


def test_git_that_ended_meanwhile_is_started_again(remote: DirectRemote, desk: Desk) -> None:
    [old] = place(remote, desk, A)
    first, second = desk.commit(old), desk.commit(old)
    assert remote.push([RefUpdate(A, old, first)], atomic=False)[A].state is DONE
    process = remote._transactions._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert remote.push([RefUpdate(A, first, second)], atomic=False)[A].state is DONE


def test_git_that_says_nothing_is_given_up(remote: DirectRemote, desk: Desk) -> None:
    [a, b] = place(remote, desk, A, B)
    silent = Invocation(["sleep", "60"], os.environ, desk.path)
    updates = [RefUpdate(A, a, desk.commit(a)), RefUpdate(B, b, desk.commit(b))]
    with mock.patch.object(remote._transactions, "_how", silent):
        fates = remote._transactions.move(updates, Deadline(0.1))
    assert [fates[ref].state for ref in (A, B)] == [UNKNOWN, UNKNOWN]


def test_what_git_said_too_late_is_unknown(remote: DirectRemote, desk: Desk) -> None:
    """I1: the first was moved; that git has ended over the second does not make it a lost race."""
    [a, b] = place(remote, desk, A, B)
    done = "start: ok\\nprepare: ok\\ncommit: ok\\nstart: ok\\n"
    script = f"printf '{done}'; echo 'fatal: prepare: cannot lock ref' >&2; exit 128"
    late = Invocation(["sh", "-c", script], os.environ, desk.path)

    class Stopped(Deadline):
        """This process stood still, past its time, while git went on to its end."""

        def over(self) -> bool:
            process = remote._transactions._process
            assert process is not None
            process.wait()
            return True

    updates = [RefUpdate(A, a, desk.commit(a)), RefUpdate(B, b, desk.commit(b))]
    with mock.patch.object(remote._transactions, "_how", late):
        fates = remote._transactions.move(updates, Stopped(60.0))
    assert [fates[ref].state for ref in (A, B)] == [UNKNOWN, UNKNOWN]


def test_what_cannot_be_heard_is_unknown(
    remote: DirectRemote, desk: Desk, file_remote: BareRepository
) -> None:
    """I4: this process has no more files to be had, and git may have done it."""
    [a] = place(remote, desk, A)
    new = desk.commit(a)
    with mock.patch("selectors.DefaultSelector", side_effect=OSError("too many open files")):
        fates = remote._transactions.move([RefUpdate(A, a, new)], Deadline(60.0))
    assert fates[A].state is UNKNOWN
    now = Oid(file_remote.refs()[A])
    assert now in (a, new)
    assert remote.push([RefUpdate(A, now, desk.commit(now))], atomic=False)[A].state is DONE


def test_what_is_done_is_told_though_the_rest_cannot_be_sent(
    remote: DirectRemote, desk: Desk
) -> None:
    """I1: an error says that nothing was sent; whoever won would never know."""
    [a, b] = place(remote, desk, A, B)
    updates = [RefUpdate(A, a, desk.commit(a)), RefUpdate(B, b, desk.commit(b))]
    move = remote._transactions.move
    away = RemoteUnreachable("away")
    with (
        mock.patch.object(remote._transactions, "move", lambda some, end: move(some[:1], end)),
        mock.patch.object(remote._inner, "push", side_effect=away),
    ):
        fates = remote.push(updates, atomic=False)
        with pytest.raises(RemoteUnreachable):
            remote.push([RefUpdate("refs/heads/main", a, b)], atomic=False)
    assert [fates[ref].state for ref in (A, B)] == [DONE, PushState.UNSENT]


def test_objects_that_cannot_be_written_are_left_to_receive_pack(
    remote: DirectRemote, desk: Desk, received: Callable[[], int]
) -> None:
    [old] = place(remote, desk, A)
    new = desk.commit(old)
    with mock.patch.object(remote._objects, "adopting", side_effect=BatonError("the disk is full")):
        assert remote.push([RefUpdate(A, old, new)], atomic=False)[A].state is DONE
    assert received() == 2
