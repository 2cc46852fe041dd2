"""What of a hook's changes belongs to the commit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, Entry
from gitbaton.workspace.snapshot.changes import Change, choose, parse_changes

_OLD, _NEW, _ZERO = Oid("1" * 40), Oid("2" * 40), Oid("0" * 40)
_A = b"a"


def _written(path: bytes = _A) -> Change:
    return Change(path, Entry(FILE, _OLD), Entry(FILE, _ZERO))


def _staged(path: bytes = _A) -> Change:
    return Change(path, Entry(FILE, _OLD), Entry(FILE, _NEW))


def _removed(path: bytes = _A) -> Change:
    return Change(path, Entry(FILE, _OLD), None)


def test_a_raw_diff_is_read() -> None:
    raw = (
        b":100644 100755 %(o)s %(z)s M\0b\xe9\n\0"
        b":000000 100644 %(z)s %(n)s A\0new\0:100644 000000 %(o)s %(z)s D\0gone\0"
    ) % {b"o": _OLD.encode(), b"n": _NEW.encode(), b"z": _ZERO.encode()}
    assert list(parse_changes(raw)) == [
        Change(b"b\xe9\n", Entry(FILE, _OLD), Entry(EXECUTABLE, _ZERO)),
        Change(b"new", None, Entry(FILE, _NEW)),
        Change(b"gone", Entry(FILE, _OLD), None),
    ]
    assert list(parse_changes(b"")) == []


def test_the_working_file_counts_before_the_staged_one() -> None:
    found = choose([_written()], [_staged()], named=frozenset({_A}))
    assert (found.files, found.staged, found.is_empty) == ((_A,), {}, False)


def test_what_is_only_staged_counts() -> None:
    assert choose([], [_staged()], named=frozenset({_A})).staged == {_A: Entry(FILE, _NEW)}
    lost = choose([_removed()], [_staged()], named=frozenset({_A}))
    assert (lost.files, lost.staged) == ((), {_A: Entry(FILE, _NEW)})


def test_what_left_the_index_leaves_the_commit() -> None:
    assert choose([], [_removed()], named=frozenset({_A})).staged == {_A: None}
    assert choose([_written()], [_removed()], named=frozenset({_A})).staged == {_A: None}


def test_a_file_that_is_only_missing_stays_in_the_commit() -> None:
    assert choose([_removed()], [], named=frozenset({_A})).is_empty


_changes = st.lists(
    st.builds(
        lambda path, make: make(path),
        st.sampled_from([b"a", b"b", b"c", b"d"]),
        st.sampled_from([_written, _staged, _removed]),
    ),
    unique_by=lambda change: change.path,
)


@given(_changes, _changes, st.frozensets(st.sampled_from([b"a", b"b", b"c"])))
def test_every_change_is_either_of_a_named_file_or_dropped(
    written: list[Change], staged: list[Change], named: frozenset[bytes]
) -> None:
    choice = choose(written, staged, named=named)
    taken = {*choice.files, *choice.staged}
    touched = {change.path for change in (*written, *staged)}
    assert taken <= named & touched
    assert set(choice.dropped) == touched - named
    assert not set(choice.files) & choice.staged.keys()
    # Only a file that is missing on disk, and nothing else, is passed over.
    passed = (touched & named) - taken
    assert passed <= {change.path for change in written if change.after is None}
