"""How the shared index follows a commit: over all ways in which it may differ."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.entries import FILE, Entry
from gitbaton.git.sharedindex import NOTHING, Staged
from gitbaton.workspace.safecommit.following import find_superseded, follow

ENTRY = st.sampled_from([None, *(Entry(FILE, Oid(letter * 40)) for letter in "123")])
PATHS = [b"a", b"b"]


class Tip:
    """A tip that has ``entries``."""

    def __init__(self, entries: Mapping[bytes, Entry | None]) -> None:
        self.entry = entries.get


def versions() -> st.SearchStrategy[dict[bytes, Entry | None]]:
    return st.fixed_dictionaries(dict.fromkeys(PATHS, ENTRY))


def staged(entries: Mapping[bytes, Entry | None]) -> dict[bytes, Staged]:
    return {path: Staged(entry) for path, entry in entries.items() if entry is not None}


@given(tip=versions(), begun=versions(), now=versions(), after=versions())
def test_the_index_follows_unless_somebody_was_there_since(
    tip: dict[bytes, Entry | None],
    begun: dict[bytes, Entry | None],
    now: dict[bytes, Entry | None],
    after: dict[bytes, Entry | None],
) -> None:
    edits = follow(after, begun=staged(begun), now=staged(now))
    index = dict(now)
    for edit in edits:
        assert edit.before == now[edit.path]
        index[edit.path] = edit.after
    lost = find_superseded(Tip(tip), after, begun=staged(begun), now=staged(now))  # type: ignore[arg-type]
    told = {item.path: item for item in lost}
    for path in PATHS:
        untouched = begun[path] == now[path]
        assert index[path] == (after[path] if untouched else now[path])
        if not untouched and now[path] != after[path]:
            assert told[path].kept, "what stays staged is said"
        elif untouched and begun[path] not in (tip[path], after[path]):
            assert (told[path].kept, told[path].staged) == (False, begun[path])
        else:
            assert path not in told


def test_nothing_staged_is_the_default() -> None:
    assert NOTHING.entry is None and not NOTHING.unmerged
