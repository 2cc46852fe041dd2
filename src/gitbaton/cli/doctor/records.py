"""The records themselves: what is damaged, torn, or no record at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from gitbaton.app import App
from gitbaton.cli.doctor.finding import Finding, note, ok, problem, warning
from gitbaton.git.disposable import is_disposable
from gitbaton.git.objectstore import ObjectStore
from gitbaton.store.gitengine.edits import find_edited
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.state import State
from gitbaton.tasks.model import COLLECTION
from gitbaton.tasks.view import View

_MANY: Final = 20  # findings of one kind that are told one by one
_ASIDE: Final = "it is left alone, and everything else goes on"


def layout_of(app: App) -> Layout:
    """Return the names that this clone uses on its remote."""
    return Layout(app.settings.namespace, f"refs/heads/{app.settings.board}")


def look_at_remote(app: App) -> State:
    """Return what refs and board show together. Raises RemoteUnreachable, HostRefused."""
    assert app.remote is not None, "only where records are on a remote"
    reader = Reader(app.repository, app.remote, layout_of(app), COLLECTION, app.clock, app.rng)
    return reader.look()


def examine_cards(state: State, objects: ObjectStore, app: App) -> Iterator[Finding]:
    """Say which files of the board somebody has edited by hand."""
    edited = list(islice(find_edited(state.board, COLLECTION, objects), _MANY + 1))
    yield from (_edited(path, app) for path in edited[:_MANY])
    if len(edited) > _MANY:
        yield warning("records", f"more than {_MANY} files of the board were edited by hand")


def examine_records(view: View, state: State | None, app: App) -> Iterator[Finding]:
    """Say which records cannot be read, and what a killed server left half done."""
    damaged = {**(state.damaged if state else {}), **view.damaged}
    strangers = [key for key in damaged if key.startswith("refs/") and not is_disposable(key)]
    records = {key: why for key, why in damaged.items() if not key.startswith("refs/")}
    yield from _first(
        [_damaged(key, why, state, app) for key, why in sorted(records.items())], "damaged records"
    )
    yield from _first([_stranger(ref) for ref in sorted(strangers)], "refs that are no records")
    if state is not None:
        yield from _torn(state)
    if not records:
        yield ok("records", f"{_count(len(view.tasks), 'task')}, all readable")


def _edited(path: str, app: App) -> Finding:
    parked = path.startswith("tasks/")
    effect = "nobody can take it up" if parked else "it is shown wrongly until its task changes"
    return (problem if parked else warning)(
        "records",
        f"{path} on the board was edited by hand, which changes no record: {effect}",
        next=f"see what it was, and put that back: {_fetch(app)} -- '{path}'; to change a task: "
        "baton edit ID",
    )


def _damaged(key: str, why: str, state: State | None, app: App) -> Finding:
    words = why.removeprefix(f"{key}: ")
    where = _last_whole(key, state, app)
    return problem("records", f"{key} cannot be read: {words}; {_ASIDE}", next=where)


def _last_whole(key: str, state: State | None, app: App) -> str | None:
    """Return how to see what is there, and what was there before."""
    if state is None:
        return None
    name = key.removeprefix(f"{COLLECTION}/")
    ref = next((ref for ref in state.refs if ref.endswith(f"/{key}")), None)
    if ref is None and name in state.board.parked:
        return f"{_fetch(app)} -- 'tasks/*/{name}.json'"
    if ref is None:
        return None
    return f"see its history: {_fetch(app, ref)}"


def _fetch(app: App, ref: str | None = None) -> str:
    """Return the command that shows the history of ``ref``, or of the board."""
    return f"git fetch {app.settings.remote} {ref or app.settings.board} && git log -p FETCH_HEAD"


def _stranger(ref: str) -> Finding:
    return note("records", f"{ref} has no name of a record; nobody reads it")


def _torn(state: State) -> Iterator[Finding]:
    for text in sorted(state.torn):
        yield warning("records", f"half done: {text}", next="baton fold")
    for path in state.board.strange[:_MANY]:
        yield note("records", f"{path} on the board is no record; nobody reads it")


def _first(findings: Sequence[Finding], what: str) -> Iterator[Finding]:
    yield from findings[:_MANY]
    if len(findings) > _MANY:
        yield problem("records", f"{len(findings) - _MANY} more {what}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
