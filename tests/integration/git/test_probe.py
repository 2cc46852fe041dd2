"""What a host allows is found out by trying, and nothing of it stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.disposable import Disposables, is_disposable
from gitbaton.git.objects import Person
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.probe import ABILITIES, Ability, HostProbe, Names, Verdict
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from tests.integration.git.desk import Desk
from tests.integration.store.place import Forwarding
from tests.servers.site import BareRepository

NAMES = Names("refs/baton/", "refs/heads/baton", "task/")
IN_BRANCHES = Names("refs/heads/ai/baton/", "refs/heads/ai/board", "ai/task/")
AUTHOR = Person("Tester", "tester@gitbaton.invalid", 1_700_000_000)


Probing = Callable[..., HostProbe]


@pytest.fixture
def store(desk: Desk) -> Iterator[Callable[[Desk], ObjectStore]]:
    """Open the object store of a desk; all are closed at the end."""
    opened: list[ObjectStore] = []

    def open_store(desk: Desk) -> ObjectStore:
        opened.append(ObjectStore(desk.git, desk.path, "sha1"))
        return opened[-1]

    yield open_store
    for each in opened:
        each.close()


@pytest.fixture
def probing(desk: Desk, store: Callable[[Desk], ObjectStore]) -> Probing:
    """Make a probe of a remote, from the desk."""

    def make(remote: Remote, names: Names = NAMES, at: Desk = desk) -> HostProbe:
        objects = store(at)
        return HostProbe(Disposables(remote, objects, author=AUTHOR), objects, names)

    return make


Examine = Callable[..., tuple[Mapping[Ability, Verdict], tuple[str, ...]]]


@pytest.fixture
def examine(desk: Desk, probing: Probing) -> Examine:
    """Probe a server from a desk; return what was found and what was left."""

    def run(
        server: BareRepository, names: Names = NAMES, at: Desk = desk
    ) -> tuple[Mapping[Ability, Verdict], tuple[str, ...]]:
        probe = probing(at.remote(server), names, at)
        return probe.run(), probe.left

    return run


def weak(found: Mapping[Ability, Verdict]) -> set[Ability]:
    return {ability for ability, verdict in found.items() if not verdict.holds}


def test_stock_git_allows_everything(server: BareRepository, examine: Examine) -> None:
    """Over file, ssh and http."""
    found, left = examine(server)
    assert tuple(found) == ABILITIES
    assert weak(found) == set(), found
    assert (left, server.refs()) == ((), {})


def test_a_board_that_is_there_is_not_moved(
    desk: Desk, server: BareRepository, examine: Examine
) -> None:
    tip = desk.commit()
    desk.remote(server).push([RefUpdate(NAMES.board, None, tip)], atomic=False)
    other = Desk(desk.path.parent / "other.git")  # that has never seen the board
    found, _ = examine(server, at=other)
    assert weak(found) == set(), found
    assert server.refs() == {NAMES.board: tip}


def test_a_host_without_atomic_pushes(file_remote: BareRepository, examine: Examine) -> None:
    file_remote.configure("receive.advertiseAtomic", "false")
    found, left = examine(file_remote)
    assert weak(found) == {"atomic", "whole"}
    assert found["atomic"].holds is False
    assert found["whole"].holds is None, "there was nothing to refuse"
    assert (left, file_remote.refs()) == ((), {})


@pytest.mark.parametrize("hook", ["update", "pre-receive"])
def test_a_hook_that_closes_the_namespace(
    file_remote: BareRepository, hook: str, examine: Examine
) -> None:
    test = 'case "$ref" in refs/baton/*) echo only branches here >&2; exit 1;; esac'
    each = f"ref=$1; {test}" if hook == "update" else f"while read _ _ ref; do {test}; done"
    file_remote.hook(hook, each)
    found, left = examine(file_remote)
    assert found["create"].holds is False
    assert "only branches here" in found["create"].reason
    assert (found["branch"].holds, found["board"].holds) == (True, True)
    assert (left, file_remote.refs()) == ((), {})


def test_only_branches_below_a_prefix(file_remote: BareRepository, examine: Examine) -> None:
    """A sandbox for agents: the rehearsal of the board is judged by its name."""
    file_remote.hook("update", 'case "$1" in refs/heads/ai/*) ;; *) exit 1;; esac')
    found, _ = examine(file_remote)
    assert [found[a].holds for a in ("create", "branch", "board")] == [False, False, False]
    found, left = examine(file_remote, IN_BRANCHES)
    assert weak(found) == set(), found
    elsewhere = Names(IN_BRANCHES.namespace, "refs/heads/baton", IN_BRANCHES.branch_prefix)
    found, left = examine(file_remote, elsewhere)
    assert weak(found) == {"board"}
    assert (left, file_remote.refs()) == ((), {})


def test_a_rehearsal_applies_nothing(file_remote: BareRepository, examine: Examine) -> None:
    """Neither the board nor a branch exists for a moment: the server never commits one."""
    file_remote.hook(
        "reference-transaction",
        f'[ "$1" = committed ] && cat >>"{file_remote.path}/committed"; exit 0',
    )
    found, _ = examine(file_remote)
    assert weak(found) == set()
    committed = (file_remote.path / "committed").read_text()
    assert "refs/baton/probe/" in committed
    assert "refs/heads/" not in committed


def test_hidden_refs_cannot_be_written(file_remote: BareRepository, examine: Examine) -> None:
    file_remote.configure("transfer.hideRefs", "refs/baton")
    found, left = examine(file_remote)
    assert found["create"].holds is False
    assert (left, file_remote.refs()) == ((), {})


def test_refs_that_are_taken_and_not_shown(file_remote: BareRepository, examine: Examine) -> None:
    """What is not listed is cleaned up all the same."""
    file_remote.configure("uploadpack.hideRefs", "refs/baton")
    found, left = examine(file_remote)
    assert (found["create"].holds, found["list"].holds) == (True, False)
    assert (left, file_remote.refs()) == ((), {})


def test_records_as_branches_that_only_move_forward(
    file_remote: BareRepository, examine: Examine
) -> None:
    file_remote.configure("receive.denyNonFastForwards", "true")
    found, left = examine(file_remote, IN_BRANCHES)
    assert weak(found) == {"replace"}
    assert (left, file_remote.refs()) == ((), {})
    found, _ = examine(file_remote)
    assert weak(found) == set(), "git's own rule is for branches only"


def test_records_as_branches_that_cannot_be_deleted(
    file_remote: BareRepository, examine: Examine
) -> None:
    file_remote.configure("receive.denyDeletes", "true")
    found, left = examine(file_remote)
    assert (weak(found), left, file_remote.refs()) == (set(), (), {}), "no branch was made"
    found, left = examine(file_remote, IN_BRANCHES)
    assert weak(found) == {"delete"}
    assert found["atomic"].holds, "seen in a refusal, without another ref left behind"
    assert set(left) == set(file_remote.refs()), "it is said what stays"
    assert len(left) == 1
    assert is_disposable(left[0])


class Promiscuous(Forwarding):
    """Tells everybody who creates a ref that it is theirs."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        results = self.inner.push(updates, atomic=atomic)
        return {
            u.ref: RefResult(PushState.DONE) if u.old is None else results[u.ref] for u in updates
        }


class Half(Forwarding):
    """Applies the first update of an atomic push that fails."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        results = self.inner.push(updates, atomic=atomic)
        if atomic and any(r.state is not PushState.DONE for r in results.values()):
            self.inner.push(updates[:1], atomic=False)
        return results


def test_a_host_on_which_everybody_wins(
    desk: Desk, file_remote: BareRepository, probing: Probing
) -> None:
    probe = probing(Promiscuous(desk.remote(file_remote)))
    found = probe.run()
    assert found["cas"].holds is False
    assert "3 clients" in found["cas"].reason
    assert file_remote.refs() == {}


def test_a_host_that_applies_half_of_what_it_refuses(
    desk: Desk, file_remote: BareRepository, probing: Probing
) -> None:
    found = probing(Half(desk.remote(file_remote))).run()
    assert found["whole"].holds is False
    assert found["cas"].holds, "one ref alone is safe"
    assert file_remote.refs() == {}


class Cut(Forwarding):
    """Fails once, at the push number ``at``: before it is sent, or behind it."""

    def __init__(self, remote: Remote, at: int, error: BaseException, *, sent: bool) -> None:
        super().__init__(remote)
        self._left, self._error, self._sent = at, error, sent
        self._lock = threading.Lock()

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        with self._lock:
            self._left -= 1
            mine = self._left == 0
        if not mine:
            return self.inner.push(updates, atomic=atomic)
        if self._sent:
            self.inner.push(updates, atomic=atomic)
        raise self._error


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_an_interrupted_probe_leaves_nothing(
    desk: Desk, file_remote: BareRepository, at: int, sent: bool, probing: Probing
) -> None:
    """^C at any push: what may have been made is taken away."""
    remote = Cut(desk.remote(file_remote), at, KeyboardInterrupt(), sent=sent)
    with pytest.raises(KeyboardInterrupt):
        probing(remote).run()
    assert file_remote.refs() == {}


def test_a_connection_that_is_lost_is_no_verdict(
    desk: Desk, file_remote: BareRepository, probing: Probing
) -> None:
    remote = Cut(desk.remote(file_remote), 4, RemoteUnreachable("gone"), sent=False)
    with pytest.raises(RemoteUnreachable):
        probing(remote).run()
    assert file_remote.refs() == {}


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/task/probe-" + "a" * 32,
        "refs/heads/task/_probe-short",
        "refs/baton/tasks/" + "a" * 32,
        "refs/baton/probe/mine",
        "refs/heads/main",
    ],
)
def test_nothing_else_has_a_disposable_name(ref: str) -> None:
    assert not is_disposable(ref)


def test_an_answer_that_was_lost_is_looked_up(
    desk: Desk, file_remote: BareRepository, probing: Probing
) -> None:
    class Mute(Forwarding):
        def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
            done = self.inner.push(updates, atomic=atomic)
            lost = RefResult(PushState.UNKNOWN, "hung up")
            return done if atomic else dict.fromkeys(done, lost)

    found = probing(Mute(desk.remote(file_remote))).run()
    moves: Sequence[Ability] = ("create", "list", "update", "replace", "delete", "atomic")
    assert all(found[ability].holds for ability in moves), found
    assert file_remote.refs() == {}


def test_commits_of_a_probe_start_no_pipeline(
    desk: Desk, file_remote: BareRepository, store: Callable[[Desk], ObjectStore]
) -> None:
    objects = store(desk)
    bench = Disposables(desk.remote(file_remote), objects, author=AUTHOR)
    one, other = bench.commit(), bench.commit()
    assert one != other
    assert b"[skip ci]" in objects.read(one)[1]
    child = bench.commit(Oid(one))
    assert f"parent {one}".encode() in objects.read(child)[1]
