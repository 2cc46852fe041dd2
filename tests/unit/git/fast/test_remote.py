"""The fast transport over a link that does as it is told: what is sent, and when git takes over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from gitbaton.core.errors import InvalidInput, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.link import Compose, Link
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.receive import Advertisement, Report
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.fast.trouble import Declined, Lost, TookTooLong, Unfit
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, RefUpdate

A, B, C = (Oid(letter * 40) for letter in "abc")
X, Y = "refs/baton/tasks/x", "refs/heads/y"
DONE, STALE, UNKNOWN, UNSENT = (
    PushState.DONE,
    PushState.STALE,
    PushState.UNKNOWN,
    PushState.UNSENT,
)
ONE = [RefUpdate(X, A, B)]
TWO = [RefUpdate(X, A, B), RefUpdate(Y, None, B)]
Doing = Report | Exception | None


@dataclass
class ScriptedLink:
    """Shows ``refs`` and ``capabilities`` to who looks, and does ``doings`` in order."""

    doings: list[Doing] = field(default_factory=list)
    refs: Mapping[str, Oid] = field(default_factory=dict)
    capabilities: Sequence[str] = ("report-status", "atomic", "delete-refs")
    looks: list[bool] = field(default_factory=list)
    sent: list[bytes | None] = field(default_factory=list)
    listings: list[Mapping[str, Oid] | Exception] = field(default_factory=list)
    shows_anyway: bool = True
    is_open: bool = False
    closed: int = 0

    def list(self, prefixes: Sequence[str], deadline: Deadline) -> Mapping[str, Oid]:
        answer = self.listings.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def push(self, compose: Compose, deadline: Deadline, *, look: bool) -> Report | None:
        self.looks.append(look)
        seen = Advertisement(self.refs, dict.fromkeys(self.capabilities, "")) if look else None
        self.sent.append(compose(seen))
        if self.sent[-1] is None:
            return None
        doing = self.doings.pop(0)
        if isinstance(doing, Exception):
            raise doing
        return doing

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {"GIT_SSH_COMMAND": "ssh -S x"}

    def close(self) -> None:
        self.closed += 1


@dataclass
class RecordingPlain:
    """Plain git, where everything succeeds; ``env`` is what it was made with."""

    env: Mapping[str, str]
    calls: list[tuple[str, object]]
    url: str = "https://host/r.git"
    supports_atomic: bool | None = None

    def list(self, prefixes: Sequence[str]) -> Listing:
        self.calls.append(("list", list(prefixes)))
        return Listing({})

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        self.calls.append(("fetch", dict(self.env)))

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        self.calls.append(("push", (list(updates), atomic)))
        return {update.ref: RefResult(DONE, "by git") for update in updates}

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        return self.push(choose(None), atomic=False)

    def close(self) -> None:
        raise AssertionError("nothing of plain git stays open")


class FewObjects(Packer):
    """Packs nothing; ``small`` False: everything would be a history."""

    def __init__(self, *, small: bool = True) -> None:
        self.small = small
        self.there: list[frozenset[Oid]] = []

    def pack_small(self, tips: object, *, there: object, near: object = ()) -> bytes | None:
        assert isinstance(there, frozenset | set)
        self.there.append(frozenset(there))
        return b"PACK" if self.small else None

    def pack_history(self, tips: object, *, there: object, options: Sequence[str] = ()) -> bytes:
        return b"HISTORY " + " ".join(options).encode()


class Bench:
    """A ``FastRemote`` with everything around it in the test's hands."""

    def __init__(self, link: ScriptedLink | None, packer: FewObjects | None = None) -> None:
        self.git: list[tuple[str, object]] = []
        self.packer = packer or FewObjects()
        self.made = 0

        def make() -> Link | None:
            self.made += 1
            return link

        self.remote = FastRemote(
            make, lambda env: RecordingPlain(env, self.git), self.packer, "sha1"
        )

    def states(self, updates: Sequence[RefUpdate], *, atomic: bool) -> dict[str, PushState]:
        fates = self.remote.push(updates, atomic=atomic)
        return {ref: fate.state for ref, fate in fates.items()}


def done(*refs: str) -> Report:
    return Report("ok", dict.fromkeys(refs))


def test_independent_updates_are_sent_without_a_look() -> None:
    link = ScriptedLink([done(X), done(X, Y)])
    bench = Bench(link)
    assert bench.states(ONE, atomic=False) == {X: DONE}
    assert bench.states(TWO, atomic=False) == {X: DONE, Y: DONE}
    assert link.looks == [False, False]
    assert all(request and b"atomic" not in request for request in link.sent)
    assert bench.remote.supports_atomic is None
    assert bench.git == []
    assert bench.made == 1


def test_a_no_about_credentials_is_the_hosts_last_word() -> None:
    bench = Bench(ScriptedLink([Declined("access denied to agent")]))
    assert bench.states(ONE, atomic=False) == {X: PushState.REFUSED}
    assert bench.git == []


def test_a_no_about_anything_else_may_pass() -> None:
    """Who took it for a refusal would give up a finished task because the host is busy."""
    busy = Declined("GitLab is currently unable to handle this request due to load.")
    bench = Bench(ScriptedLink([busy, done(X)]))
    with pytest.raises(RemoteUnreachable, match="due to load"):
        bench.remote.push(ONE, atomic=False)
    assert bench.states(ONE, atomic=False) == {X: DONE}
    assert bench.git == []


def test_one_update_depends_on_nothing() -> None:
    link = ScriptedLink([done(X)])
    assert Bench(link).states(ONE, atomic=True) == {X: DONE}
    assert link.looks == [False]


def test_dependent_updates_are_sent_after_a_look_each_time() -> None:
    link = ScriptedLink([done(X, Y), done(X, Y)], {X: A})
    bench = Bench(link)
    for _ in range(2):
        assert bench.states(TWO, atomic=True) == {X: DONE, Y: DONE}
    assert link.looks == [True, True]
    assert all(request and b" atomic" in request for request in link.sent)
    assert bench.remote.supports_atomic is True


def test_a_deletion_is_sent_after_a_look() -> None:
    link = ScriptedLink([done(X)], {X: A})
    bench = Bench(link)
    assert bench.states([RefUpdate(X, A, None)], atomic=False) == {X: DONE}
    assert bench.states([RefUpdate(X, B, None)], atomic=False) == {X: STALE}
    assert link.looks == [True, True]
    assert link.sent[1] is None


def test_without_atomic_nothing_is_sent_and_it_is_remembered() -> None:
    link = ScriptedLink(capabilities=("report-status",), refs={X: A})
    bench = Bench(link)
    for _ in range(2):
        assert bench.states(TWO, atomic=True) == {X: UNSENT, Y: UNSENT}
    assert link.sent == [None]
    assert bench.remote.supports_atomic is False
    assert bench.git == []


def test_a_history_is_never_sent_blindly() -> None:
    link = ScriptedLink([done(X)], {X: A, Y: C}, ("report-status", "ofs-delta"))
    bench = Bench(link, FewObjects(small=False))
    assert bench.states(ONE, atomic=False) == {X: DONE}
    assert link.looks == [True]
    assert link.sent[0] is not None
    assert link.sent[0].endswith(b"HISTORY --thin --delta-base-offset")
    # What the pack may leave out is what this very session has shown.
    assert bench.packer.there[-1] == {A, C}


def test_a_blind_pack_builds_on_what_was_last_seen_and_pushed() -> None:
    link = ScriptedLink([done(X), done(Y)], listings=[{Y: C}])
    bench = Bench(link)
    bench.remote.list(["refs/"])
    bench.remote.push(ONE, atomic=False)
    bench.remote.push([RefUpdate(Y, None, C)], atomic=False)
    assert bench.packer.there == [{A, C}, {B, C}]


def test_an_unknown_outcome_is_told_and_nothing_is_sent_again() -> None:
    for trouble in (Lost("cut"), TookTooLong("late", sent=True), Lost("garbage", lasting=True)):
        link = ScriptedLink([trouble])
        bench = Bench(link)
        assert bench.states(TWO, atomic=False) == {X: UNKNOWN, Y: UNKNOWN}
        assert bench.git == []
        assert (bench.remote.why_plain is not None) == trouble.lasting


def test_what_was_settled_by_the_look_stays_settled_when_the_answer_is_lost() -> None:
    link = ScriptedLink([Lost("cut")], {X: C, Y: A})
    updates = [RefUpdate(X, A, B), RefUpdate(Y, A, None)]
    assert Bench(link).states(updates, atomic=False) == {X: STALE, Y: UNKNOWN}


def test_when_surely_nothing_was_done_git_takes_over_this_once() -> None:
    link = ScriptedLink([Unfit("refused", lasting=False), done(X)])
    bench = Bench(link)
    assert bench.states(ONE, atomic=False) == {X: DONE}
    assert bench.git == [("push", (ONE, False))]
    assert bench.states(ONE, atomic=False) == {X: DONE}
    assert len(bench.git) == 1


def test_what_will_not_change_is_remembered() -> None:
    link = ScriptedLink([Unfit("HTTP 403", lasting=True)], listings=[])
    bench = Bench(link)
    bench.remote.push(ONE, atomic=False)
    bench.remote.push(TWO, atomic=True)
    bench.remote.list(["refs/"])
    bench.remote.fetch({X: A})
    assert [verb for verb, _ in bench.git] == ["push", "push", "list", "fetch"]
    assert bench.git[1] == ("push", (TWO, True))
    assert bench.git[3] == ("fetch", {})
    assert bench.remote.why_plain == "HTTP 403"
    assert len(link.looks) == 1


def test_out_of_time_before_anything_was_sent() -> None:
    late = TookTooLong("no connection", sent=False)
    bench = Bench(ScriptedLink([late], listings=[late]))
    with pytest.raises(RemoteUnreachable, match="did not answer"):
        bench.remote.push(ONE, atomic=False)
    with pytest.raises(RemoteUnreachable, match="did not answer"):
        bench.remote.list(["refs/"])
    assert bench.git == []


@pytest.mark.parametrize("trouble", [Lost("cut"), Unfit("busy", lasting=False)])
def test_a_listing_that_fails_is_asked_of_git(trouble: Exception) -> None:
    bench = Bench(ScriptedLink(listings=[trouble, {X: A}]))
    assert bench.remote.list(["refs/"]).refs == {}
    assert bench.git == [("list", ["refs/"])]
    assert bench.remote.list(["refs/"]).refs == {X: A}


def test_what_the_server_lacked_objects_for_is_sent_by_git() -> None:
    lacking = Report("ok", {X: "missing necessary objects", Y: None})
    bench = Bench(ScriptedLink([lacking]))
    assert bench.remote.push(TWO, atomic=False) == {
        X: RefResult(DONE, "by git"),
        Y: RefResult(DONE),
    }
    assert bench.git == [("push", (ONE, False))]


def test_what_is_done_is_told_though_git_cannot_send_the_rest() -> None:
    class Away(RecordingPlain):
        def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
            raise RemoteUnreachable("the network has just gone")

    link = ScriptedLink([Report("ok", {X: "missing necessary objects", Y: None})])
    remote = FastRemote(lambda: link, lambda env: Away(env, []), FewObjects(), "sha1")
    fates = remote.push(TWO, atomic=False)
    assert {ref: fate.state for ref, fate in fates.items()} == {X: UNSENT, Y: DONE}


def test_half_an_atomic_push_is_told_and_never_completed_here() -> None:
    lacking = Report("ok", {X: "missing necessary objects", Y: None})
    bench = Bench(ScriptedLink([lacking], {X: A}))
    assert bench.states(TWO, atomic=True) == {X: PushState.REFUSED, Y: DONE}
    assert bench.git == []


def test_fetching_shares_the_connection() -> None:
    bench = Bench(ScriptedLink())
    bench.remote.fetch({X: A})
    assert bench.git == [("fetch", {"GIT_SSH_COMMAND": "ssh -S x"})]


def test_where_git_is_configured_in_its_own_way_it_does_everything() -> None:
    bench = Bench(None)
    bench.remote.list(["refs/"])
    bench.remote.push(TWO, atomic=True)
    bench.remote.fetch({X: A})
    assert [verb for verb, _ in bench.git] == ["list", "push", "fetch"]
    assert bench.remote.why_plain is not None
    assert bench.made == 1


def test_a_prefix_that_is_none_is_for_git_to_refuse() -> None:
    bench = Bench(ScriptedLink())
    for prefix in ("refs/a\nrefs/b", "--upload-pack=x"):
        bench.remote.list([prefix])
    assert len(bench.git) == 2


@dataclass
class Chooser:
    """Picks ``wish``, and remembers what it was shown each time."""

    wish: Sequence[RefUpdate]
    shown: list[Mapping[str, Oid] | None] = field(default_factory=list)

    def __call__(self, seen: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
        self.shown.append(seen)
        return self.wish


def test_where_the_refs_are_shown_anyway_they_are_chosen_upon() -> None:
    link = ScriptedLink([done(X)], {X: A, Y: C})
    bench, choose = Bench(link), Chooser(ONE)
    assert bench.remote.push_chosen(choose) == {X: RefResult(DONE)}
    assert choose.shown == [{X: A, Y: C}]
    assert (link.looks, bench.git) == ([True], [])
    assert link.sent[0] is not None
    assert b"atomic" not in link.sent[0]


def test_what_was_chosen_against_the_sight_is_stale_and_not_sent() -> None:
    link = ScriptedLink([done(Y)], {X: C})
    assert Bench(link).remote.push_chosen(Chooser(TWO)) == {
        X: RefResult(STALE, "stale info"),
        Y: RefResult(DONE),
    }
    assert link.sent[0] is not None
    assert X.encode() not in link.sent[0]


def test_nothing_chosen_is_nothing_sent() -> None:
    for shows in (True, False):
        link = ScriptedLink(refs={X: A}, shows_anyway=shows)
        assert Bench(link).remote.push_chosen(Chooser([])) == {}
        assert link.sent == ([None] if shows else [])


def test_where_a_look_costs_a_round_trip_it_is_chosen_without() -> None:
    link = ScriptedLink([done(X)], {X: A}, shows_anyway=False)
    choose = Chooser(ONE)
    assert Bench(link).remote.push_chosen(choose) == {X: RefResult(DONE)}
    assert choose.shown == [None]
    assert link.looks == [False]


def test_a_session_that_cannot_be_used_is_chosen_again_without_it() -> None:
    for trouble in (Unfit("busy", lasting=False), Unfit("HTTP 403", lasting=True)):
        bench, choose = Bench(ScriptedLink([trouble], {X: A})), Chooser(ONE)
        assert bench.remote.push_chosen(choose) == {X: RefResult(DONE, "by git")}
        assert choose.shown == [{X: A}, None]
        assert bench.git == [("push", (ONE, False))]
    bench, choose = Bench(None), Chooser(ONE)
    bench.remote.push_chosen(choose)
    assert choose.shown == [None]


def test_a_chosen_push_without_an_answer_is_unknown_and_is_not_chosen_again() -> None:
    """I1: what may have been sent is for the caller to look up."""
    bench, choose = Bench(ScriptedLink([Lost("cut")], {X: A})), Chooser(TWO)
    assert bench.remote.push_chosen(choose) == {
        X: RefResult(UNKNOWN, "cut"),
        Y: RefResult(UNKNOWN, "cut"),
    }
    assert len(choose.shown) == 1
    assert bench.git == []


def test_before_anything_was_chosen_nothing_is_unknown() -> None:
    class Mute(ScriptedLink):
        def push(self, compose: Compose, deadline: Deadline, *, look: bool) -> Report | None:
            raise Lost("nothing was said")

    bench, choose = Bench(Mute()), Chooser(ONE)
    with pytest.raises(RemoteUnreachable, match="nothing was said"):
        bench.remote.push_chosen(choose)
    assert choose.shown == []


def test_what_choosing_raises_is_passed_on() -> None:
    def fail(_: object) -> Sequence[RefUpdate]:
        raise KeyError("the caller's own trouble")

    for wrong, error in ((fail, KeyError), (Chooser([*ONE, *ONE]), ValueError)):
        link = ScriptedLink(refs={X: A})
        bench = Bench(link)
        with pytest.raises(error):
            bench.remote.push_chosen(wrong)
        assert (link.sent, bench.git) == ([], [])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ([RefUpdate("refs/a b", A, B)], InvalidInput),
        ([RefUpdate(X, A, Oid("HEAD"))], InvalidInput),
        ([RefUpdate(X, A, B), RefUpdate(X, B, C)], ValueError),
        ([RefUpdate(f"refs/n{number}", A, B) for number in range(1001)], ValueError),
    ],
)
def test_what_cannot_be_pushed(wrong: Sequence[RefUpdate], error: type[Exception]) -> None:
    link = ScriptedLink()
    with pytest.raises(error):
        Bench(link).remote.push(wrong, atomic=False)
    assert link.looks == []


def test_nothing_to_push_and_nothing_to_close() -> None:
    link = ScriptedLink()
    bench = Bench(link)
    bench.remote.close()
    assert bench.remote.push([], atomic=True) == {}
    assert (bench.made, link.closed) == (0, 0)
    bench.remote.list([])
    bench.remote.close()
    assert link.closed == 1
