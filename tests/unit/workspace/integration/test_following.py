"""How index and files follow a branch, for anything that an index can hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry
from gitbaton.git.sharedindex import NOTHING, Staged
from gitbaton.workspace.integration.following import Change, find_blocked, follow

entries = st.builds(
    Entry,
    st.sampled_from((FILE, EXECUTABLE, SYMLINK, GITLINK)),
    st.sampled_from("abc").map(lambda digit: Oid(digit * 40)),
)
paths = st.sampled_from((b"a", b"a/b", b"c", b"\xff", b" x\n"))
changes = (
    st.tuples(st.none() | entries, st.none() | entries)
    .filter(lambda pair: pair[0] != pair[1])
    .flatmap(lambda pair: paths.map(lambda path: Change(path, *pair)))
)
indexes = st.dictionaries(
    paths,
    st.builds(Staged, st.none() | entries, skipped=st.booleans(), assumed=st.booleans())
    | st.just(Staged(unmerged=True)),
)


@given(st.lists(changes, unique_by=lambda c: c.path), indexes, st.sets(paths))
def test_what_somebody_staged_stays_and_everything_else_follows(
    found: list[Change], index: dict[bytes, Staged], outside: set[bytes]
) -> None:
    """I3, for the index and for the files."""
    absent = {path for path, staged in index.items() if staged.skipped} | (outside - index.keys())
    plan = follow(found, index, absent=absent)
    edits = {edit.path: edit for edit in plan.index}
    wishes = {wish.path: wish for wish in plan.files}
    kept = {item.path for item in plan.kept}
    for change in found:
        staged = index.get(change.path, NOTHING)
        foreign = staged.unmerged or staged.entry not in (change.before, change.after)
        assert (change.path in kept) == foreign
        if foreign:
            assert change.path not in edits and change.path not in wishes
            continue
        after = edits[change.path].after if change.path in edits else staged.entry
        assert after == change.after, "the index is at the new commit"
        wish = wishes.get(change.path)
        if staged.entry is None and change.after is None:
            assert wish is None, "taken out of the index before: the file is somebody's own"
            continue
        submodule = [e is not None and e.is_submodule for e in (change.before, change.after)]
        assert (wish is None) == (change.path in absent) or any(submodule)
        if change.path in edits:
            left_out = ("skip-worktree",) if change.path in absent else ()
            assert edits[change.path].marks == (staged.marks or left_out)
        if wish is not None:
            assert wish.before in (None, change.before), "only what the branch had is replaced"
            assert wish.after == (None if submodule[1] else change.after)
    assert absent.isdisjoint(plan.submodules)
    assert set(edits) | set(wishes) | kept <= {change.path for change in found}


@given(st.lists(changes, unique_by=lambda c: c.path), indexes)
def test_what_the_index_has_no_room_for_is_blocked(
    found: list[Change], index: dict[bytes, Staged]
) -> None:
    """I3: afterwards no entry is below another one, and no foreign one had to go."""
    index = {path: staged for path, staged in index.items() if staged.entry is not None}
    held = [path for path in index if b"/" not in path or path.partition(b"/")[0] not in index]
    index = {path: index[path] for path in held}
    blocked = find_blocked(found, index, held)
    plan = follow(found, index, blocked)
    after = {path: staged.entry for path, staged in index.items()}
    after.update({edit.path: edit.after for edit in plan.index})
    left = {path for path, entry in after.items() if entry is not None}
    new = {edit.path for edit in plan.index if edit.after is not None}
    foreign = left - new
    assert not [path for path in new if b"/" in path and path.partition(b"/")[0] in foreign]
    assert not [path for path in foreign if b"/" in path and path.partition(b"/")[0] in new]
