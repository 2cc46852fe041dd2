"""The sessions of one clone and the rules by which they come and go (pure).

    making ──> active ──> ending ──> removing ──> (gone)
                  ^          │
                  └── kept <─┘       what its worktree holds is nowhere else

Only a session with a worktree of its own is ever ``making``, ``removing`` or ``kept``. In each
stage but ``kept`` one process owns it: the one that the session lives as long as (``active``), or
the ``baton`` at work on it (the others). Whoever finds that process gone may take over, unless
the session was entered for a command that goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process, same_process

Alive: TypeAlias = Callable[[Process], bool]


class Stage(StrEnum):
    """How far a session is (see the picture above)."""

    MAKING = "making"
    ACTIVE = "active"
    ENDING = "ending"
    REMOVING = "removing"
    KEPT = "kept"


class OwnTree(msgspec.Struct, frozen=True, kw_only=True):
    """The worktree of one session. ``base``: the commit it was made from."""

    path: str
    branch: str
    base: Oid


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session. ``top``: the working tree it was started in; ``started`` is for people.

    ``command``: what ``session exec`` started; an active session lives as long as that, too.
    ``reasons``: why its worktree is kept.
    """

    name: str
    owner: Process
    stage: Stage
    top: str
    started: str
    tree: OwnTree | None = None
    task: str | None = None
    command: Process | None = None
    reasons: tuple[str, ...] = ()

    def keeper(self, alive: Alive) -> Process | None:
        """Return a process that keeps the session, None where nobody does any more."""
        owners = [self.owner]
        if self.stage is Stage.ACTIVE and self.command is not None:
            owners.append(self.command)
        return next((owner for owner in owners if alive(owner)), None)

    @property
    def place(self) -> str:
        """The working tree that it works in."""
        return self.tree.path if self.tree is not None else self.top


class Roll(msgspec.Struct, frozen=True):
    """All sessions of a clone, by name."""

    sessions: Mapping[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter([self.sessions[name] for name in sorted(self.sessions)])

    def find(self, name: str) -> Session | None:
        """Return the session ``name``, None if there is none."""
        return self.sessions.get(name)

    def having(self, session: Session) -> Roll:
        """Return the roll with ``session`` as it is given."""
        return Roll({**self.sessions, session.name: session})

    def without(self, name: str) -> Roll:
        """Return the roll without the session ``name``."""
        return Roll({key: value for key, value in self.sessions.items() if key != name})


def sharing(roll: Roll, top: str, alive: Alive) -> list[Session]:
    """Return the living sessions that work in the working tree ``top``."""
    return [s for s in roll if s.tree is None and s.top == top and s.keeper(alive)]


def needs_own_tree(roll: Roll, top: str, *, threshold: int, alive: Alive) -> bool:
    """Tell whether one more session in ``top`` would be more than ``threshold``."""
    return len(sharing(roll, top, alive)) >= threshold


def admit(roll: Roll, session: Session, *, alive: Alive) -> Roll:
    """Return the roll with the new ``session``. Raises Refused where its name is taken.

    The name of a dead session is free once that session is cleared away.
    """
    known = roll.find(session.name)
    if known is None:
        return roll.having(session)
    if known.stage is Stage.KEPT:
        raise Refused(
            f"the worktree of an earlier session {session.name!r} is kept at {known.place}",
            code="exists",
            next=f"baton session start --resume {session.name}",
        )
    keeper = known.keeper(alive)
    state = "it is being cleared" if keeper is None else f"process {keeper.pid} runs it"
    raise Refused(
        f"there is a session {session.name!r} already: {state}",
        code="exists",
        next="baton session list",
    )


def resume(roll: Roll, name: str, owner: Process) -> Roll:
    """Return the roll where the kept session ``name`` goes on, for ``owner``. Raises Refused."""
    known = roll.find(name)
    if known is None or known.stage is not Stage.KEPT:
        raise Refused(
            f"no worktree of a session {name!r} is kept", code="unknown", next="baton session list"
        )
    return roll.having(replaced(known, owner=owner, stage=Stage.ACTIVE, command=None, reasons=()))


def orphans(roll: Roll, alive: Alive) -> list[Session]:
    """Return the sessions whose process is gone and that somebody should clear away."""
    return [s for s in roll if s.stage is not Stage.KEPT and s.keeper(alive) is None]


def take_over(roll: Roll, name: str, owner: Process, *, alive: Alive, force: bool) -> Roll:
    """Return the roll where ``owner`` ends the session ``name``.

    A half-made or half-removed worktree holds nothing of anybody's, and stays known as such.
    Raises Refused where another process is at it, or, without ``force``, still runs in it.
    """
    known = roll.find(name)
    if known is None:
        raise Refused(f"there is no session {name!r}", code="unknown", next="baton session list")
    free = known.stage is Stage.KEPT or same_process(known.owner, owner)
    keeper = None if free else known.keeper(alive)
    if keeper is not None and known.stage is not Stage.ACTIVE:
        raise Refused(
            f"process {keeper.pid} is at work on the session {name!r} ({known.stage})",
            code="busy",
            next="baton session list",
        )
    if keeper is not None and not force:
        raise Refused(
            f"the session {name!r} is not yours, and process {keeper.pid} still runs it",
            code="busy",
            next=f"baton session end {name} --force",
        )
    lasting = (Stage.MAKING, Stage.REMOVING)
    stage = known.stage if known.stage in lasting else Stage.ENDING
    return roll.having(replaced(known, owner=owner, stage=stage))


def replaced(session: Session, **changes: object) -> Session:
    """Return ``session`` with these ``changes``."""
    return msgspec.structs.replace(session, **changes)
