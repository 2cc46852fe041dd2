"""The rules by which sessions come and go, on any roll of sessions."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.workspace.sessions.roll import (
    Alive,
    OwnTree,
    Roll,
    Session,
    Stage,
    admit,
    needs_own_tree,
    orphans,
    replaced,
    resume,
    sharing,
    take_over,
)

ME = Process(99, "0", "here")
NAMES = ("a", "b", "c", "d", "e")


def among(pids: Collection[int]) -> Alive:
    """Return the judgement that those processes live, and no others."""
    return lambda process: process.pid in pids


def session(
    name: str, *, pid: int = 1, stage: Stage = Stage.ACTIVE, top: str = "/t", tree: bool = False
) -> Session:
    own = OwnTree(path=f"/w/{name}", branch=f"session/{name}", base=Oid("0" * 40))
    return Session(
        name=name,
        owner=Process(pid, "0", "here"),
        stage=stage,
        top=top,
        started="2026-01-01T00:00:00Z",
        tree=own if tree or stage not in (Stage.ACTIVE, Stage.ENDING) else None,
    )


sessions = st.builds(
    lambda name, pid, stage, top, tree: session(name, pid=pid, stage=stage, top=top, tree=tree),
    st.sampled_from(NAMES),
    st.integers(1, 4),
    st.sampled_from(Stage),
    st.sampled_from(("/t", "/other")),
    st.booleans(),
)
rolls = st.lists(sessions, max_size=5).map(lambda found: Roll({s.name: s for s in found}))
living = st.frozensets(st.integers(1, 4))


@given(rolls, living, st.integers(0, 4))
def test_only_living_sessions_in_the_same_tree_crowd_it(
    roll: Roll, pids: frozenset[int], threshold: int
) -> None:
    there = [
        s
        for s in roll.sessions.values()
        if s.place == "/t" and s.tree is None and s.owner.pid in pids
    ]
    alive = among(pids)
    assert {s.name for s in sharing(roll, "/t", alive)} == {s.name for s in there}
    assert needs_own_tree(roll, "/t", threshold=threshold, alive=alive) == (len(there) >= threshold)


@given(rolls, living, st.sampled_from(NAMES), st.booleans())
def test_a_session_is_taken_only_from_the_dead_the_kept_or_by_force(
    roll: Roll, pids: frozenset[int], name: str, force: bool
) -> None:
    """I4: whoever comes next can go on; I1 in small: a living owner at work is never robbed."""
    known = roll.find(name)
    held = known is not None and known.stage is not Stage.KEPT and known.owner.pid in pids
    allowed = known is not None and (not held or (force and known.stage is Stage.ACTIVE))
    try:
        after = take_over(roll, name, ME, alive=lambda p: p.pid in pids, force=force)
    except Refused:
        assert not allowed
        return
    assert allowed and known is not None
    taken = after.sessions[name]
    assert (taken.owner, taken.tree) == (ME, known.tree)
    half = known.stage in (Stage.MAKING, Stage.REMOVING)
    assert taken.stage is (known.stage if half else Stage.ENDING)
    assert after.without(name) == roll.without(name)


@given(rolls, living)
def test_every_session_without_a_living_owner_is_an_orphan_but_for_the_kept(
    roll: Roll, pids: frozenset[int]
) -> None:
    alive = among(pids)
    found = {s.name for s in orphans(roll, alive)}
    for one in roll:
        assert (one.name in found) == (one.stage is not Stage.KEPT and one.owner.pid not in pids)
        if one.name in found:
            assert take_over(roll, one.name, ME, alive=alive, force=False).sessions[one.name]


@given(rolls, living, sessions)
def test_a_name_is_given_once(roll: Roll, pids: frozenset[int], new: Session) -> None:
    """I3: in particular the record of a kept worktree is never written over."""
    try:
        after = admit(roll, new, alive=lambda p: p.pid in pids)
    except Refused:
        assert roll.find(new.name) is not None
        return
    assert roll.find(new.name) is None
    assert after.without(new.name) == roll


def test_only_a_kept_session_is_resumed() -> None:
    roll = Roll(
        {"k": replaced(session("k", stage=Stage.KEPT), reasons=("why",)), "a": session("a")}
    )
    again = resume(roll, "k", ME).sessions["k"]
    assert (again.owner, again.stage, again.reasons) == (ME, Stage.ACTIVE, ())
    for name in ("a", "nobody"):
        with pytest.raises(Refused):
            resume(roll, name, ME)


@given(living, living)
def test_an_active_session_lives_as_long_as_what_was_started_in_it(
    pids: frozenset[int], commands: frozenset[int]
) -> None:
    """I3, I4: `baton` may be killed before the command that it runs ends."""
    alive = among(pids)
    for command in commands:
        one = replaced(session("a", pid=1), command=Process(command, "0", "here"))
        roll = Roll({"a": one})
        lives = bool({1, command} & pids)
        assert (orphans(roll, alive) == []) == lives
        assert (sharing(roll, "/t", alive) == [one]) == lives
        if lives:
            with pytest.raises(Refused, match="still runs it"):
                take_over(roll, "a", ME, alive=alive, force=False)
        else:
            assert take_over(roll, "a", ME, alive=alive, force=False).sessions["a"].owner == ME


def test_a_roll_that_was_written_before_namespaces_and_commands_were_noted_is_read() -> None:
    written = msgspec.to_builtins(Roll({"a": session("a")}))
    one = written["sessions"]["a"]
    del one["command"], one["owner"]["namespace"]
    assert msgspec.convert(written, Roll) == Roll({"a": session("a")})
