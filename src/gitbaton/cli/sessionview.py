"""How sessions are shown, as JSON and in words."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from gitbaton.workspace.sessions.desk import Desk, Ended
from gitbaton.workspace.sessions.roll import Session, Stage


def session_document(session: Session, desk: Desk) -> dict[str, Any]:
    """Return ``session`` as JSON."""
    tree = session.tree
    keeper = None if session.stage is Stage.KEPT else session.keeper(desk.alive)
    return {
        "name": session.name,
        "state": session.stage.value,
        "pid": None if session.stage is Stage.KEPT else (keeper or session.owner).pid,
        "alive": keeper is not None,
        "started_at": session.started,
        "task": session.task,
        "directory": session.place,
        "worktree": None if tree is None else {"path": tree.path, "branch": tree.branch},
        "reasons": list(session.reasons),
    }


def ended_document(ended: Ended) -> dict[str, Any]:
    """Return what became of a session that was ended, as JSON. ``kept``: its worktree's path."""
    return {
        "name": ended.session.name,
        "ended": True,
        "kept": ended.session.place if ended.reasons else None,
        "reasons": list(ended.reasons),
    }


def tell_ended(say: Callable[[str], None], ended: Ended) -> None:
    """Say what became of a session that was ended, and what to do about what was kept."""
    name, place = ended.session.name, ended.session.place
    if not ended.reasons:
        removed = "" if ended.session.tree is None else "; its worktree held nothing unique"
        say(f"session {name} is over{removed}")
        return
    say(f"session {name} is over; {place} is kept: {'; '.join(ended.reasons)}")
    if ended.session.stage is not Stage.KEPT:
        say("  it goes when they have ended and hold nothing unique; next: baton session list")
        return
    say(f"  next: cd {shlex.quote(place)}, save what matters; then: baton session end {name}")
