"""Where sessions come and go: they are entered, given a worktree, and cleared away afterwards.

Every step may be the last one of this process: who comes next finds its owner gone and goes on
(docs/design/sessions.md).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError, Refused
from gitbaton.core.ids import Oid, task_id
from gitbaton.core.owners import Owners
from gitbaton.core.process import Process, find_process
from gitbaton.workspace.sessions.environment import Belongings, variables
from gitbaton.workspace.sessions.occupants import Occupant, find_occupants
from gitbaton.workspace.sessions.register import Register
from gitbaton.workspace.sessions.roll import (
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
from gitbaton.workspace.sessions.tree import SessionTrees


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a session shall be: its ``name`` (None: made up), the process that it lives as long
    as, its ``task``, and whether it shall have a worktree of its own (None: as it gets crowded),
    on the new ``branch`` (None, or where that is there already: on one of its own name).
    """

    owner: Process
    name: str | None = None
    task: str | None = None
    own_tree: bool | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a session that was ended: ``gone``, or kept for ``reasons``."""

    session: Session
    reasons: tuple[str, ...] = ()


def new_name() -> str:
    """Return a name that no other session has."""
    return f"s-{secrets.token_hex(4)}"


class Desk:
    """The sessions of one clone. ``top``: the working tree that it is asked from."""

    def __init__(
        self,
        register: Register,
        trees: SessionTrees,
        *,
        top: Path,
        home: Path,
        threshold: int,
        shared: Sequence[str],
        env: Mapping[str, str],
        clock: Clock,
        owners: Owners,
    ) -> None:
        self._register, self._trees = register, trees
        self._top, self._home = str(top), home
        self._threshold, self._shared, self._env = threshold, shared, env
        self._clock, self._owners = clock, owners

    def roll(self) -> Roll:
        """Return all sessions as they are known now."""
        return self._register.read()

    def start(self, wish: Wish, head: Oid | None) -> Session:
        """Enter a session, with a worktree from the commit ``head`` where it gets one.

        Raises InvalidInput for a bad name, Refused where the name, its branch or its directory
        is taken, GitFailed. Then nothing is left behind.
        """
        name = task_id(wish.name, field="--name") if wish.name else new_name()

        def enter(roll: Roll) -> Roll:
            own = wish.own_tree
            if own is None:
                own = head is not None and needs_own_tree(
                    roll, self._top, threshold=self._threshold, alive=self.alive
                )
            session = Session(
                name=name,
                owner=self.process if own else wish.owner,
                stage=Stage.MAKING if own else Stage.ACTIVE,
                top=self._top,
                started=rfc3339(self._clock.now()),
                task=wish.task,
            )
            entered = admit(roll, session, alive=self.alive)  # its name first: then its tree
            return (
                entered.having(replaced(session, tree=self._plan(name, head, wish.branch)))
                if own
                else entered
            )

        session = self._register.change(f"session: {name} starts", enter).sessions[name]
        try:
            self.belongings(name).make(self._env, self._shared)
            if session.tree is not None:
                self._trees.make(session.tree)
                session = self._put(replaced(session, owner=wish.owner, stage=Stage.ACTIVE))
        except BaseException:
            self._clear(replaced(session, owner=self.process))
            raise
        return session

    def resume(self, name: str, owner: Process) -> Session:
        """Go on with a kept session, in its worktree. Raises Refused."""
        roll = self._register.change(
            f"session: {name} goes on", lambda roll: resume(roll, name, owner)
        )
        self.belongings(name).make(self._env, self._shared)
        return roll.sessions[name]

    def end(self, name: str, *, force: bool, published: Sequence[Oid] = ()) -> Ended:
        """End the session ``name``; its worktree goes if nothing in it would be lost (I3).

        ``force``: also if another process still runs in it. ``published``: commits of it that are
        safe elsewhere. Raises Refused.
        """
        return self._clear(self._take(name, force=force), published, called=True)

    def run(self, name: str, pid: int) -> None:
        """Note that the session ``name`` was entered for the process ``pid``, which runs now.

        It lives as long as that, too: ``baton`` may be killed before what it started ends. Quiet
        where the process is over already.
        """
        command = find_process(pid, origin=self._clock.origin)

        def note(roll: Roll) -> Roll:
            known = roll.find(name)
            return roll if known is None else roll.having(replaced(known, command=command))

        self._register.change(f"session: {name} runs process {pid}", note)

    def sweep(self) -> list[Ended]:
        """Clear away all sessions whose process is gone; return what became of each.

        Several may sweep at once: each session is cleared by one of them.
        """
        done = []
        for session in orphans(self.roll(), self.alive):
            try:
                ended = self._clear(self._take(session.name, force=False))
                if ended.session.stage is not Stage.ACTIVE:  # else others are at work in it
                    done.append(ended)
            except Refused:
                continue  # somebody else is at it
            except BatonError as error:  # it stays, and holds up nobody who comes or goes
                done.append(Ended(session, (f"it cannot be cleared away: {error.message}",)))
        return done

    def variables(self, session: Session) -> dict[str, str]:
        """Return what ``session`` shall find in its environment."""
        return variables(session, self.belongings(session.name))

    def belongings(self, name: str) -> Belongings:
        """Return the directories of the session ``name``."""
        return Belongings(self._home, name)

    def alive(self, process: Process) -> bool:
        """Tell whether that very process still runs here, in this boot."""
        return self._owners.is_alive(process)

    @property
    def process(self) -> Process:
        """This process, as the owner of sessions. Raises BatonError where it cannot be seen."""
        return self._owners.enter()

    def _plan(self, name: str, head: Oid | None, branch: str | None) -> OwnTree:
        if head is None:
            raise Refused(
                "a worktree needs a commit to start from, and there is none yet",
                next="git commit --allow-empty -m start",
            )
        return self._trees.plan(name, head, branch)

    def _take(self, name: str, *, force: bool) -> Session:
        """Make this process the owner of a session that ends. Raises Refused."""
        me = self.process
        roll = self._register.change(
            f"session: {name} ends",
            lambda roll: take_over(roll, name, me, alive=self.alive, force=force),
        )
        return roll.sessions[name]

    def _clear(
        self, session: Session, published: Sequence[Oid] = (), *, called: bool = False
    ) -> Ended:
        """Clear away a session that this process owns. ``called``: by name, not found dead."""
        tree = session.tree
        if tree is not None and session.stage is Stage.MAKING:
            self._trees.discard(tree)
        elif tree is not None:
            # Also where it was to be removed before: since that was killed somebody may have come.
            if session.stage is not Stage.REMOVING or self._trees.is_whole(tree):
                if reasons := (*self._guests(session), *self._trees.judge(tree, published)):
                    kept = self._put(replaced(session, stage=Stage.KEPT, reasons=reasons))
                    return Ended(kept, reasons)
                # After the judging, which takes a while: somebody may have come meanwhile.
                if occupants := self._occupants(session, tree, called=called):
                    return self._leave(session, occupants)
                self._put(replaced(session, stage=Stage.REMOVING))
            self._trees.remove(tree)
        self.belongings(session.name).erase()
        self._register.change(
            f"session: {session.name} is over", lambda roll: roll.without(session.name)
        )
        return Ended(session)

    def _occupants(self, session: Session, tree: OwnTree, *, called: bool) -> list[Occupant]:
        state = os.fspath(self.belongings(session.name).state)
        found = find_occupants(tree.path, state, origin=self._clock.origin, callers=called)
        return sorted(found, key=lambda occupant: occupant.process.pid)

    def _leave(self, session: Session, occupants: Sequence[Occupant]) -> Ended:
        """Leave a session to the processes in its worktree: who comes after them clears it away."""
        heir = occupants[0].process
        left = self._put(replaced(session, stage=Stage.ACTIVE, owner=heir, command=None))
        return Ended(
            left, tuple(f"process {o.process.pid} ({o.program}) works in it" for o in occupants)
        )

    def _guests(self, session: Session) -> list[str]:
        """Return why its worktree must stay for others: those who were started in it live."""
        guests = sharing(self.roll(), session.place, self.alive)
        return [f"session {guest.name} works in it" for guest in guests]

    def _put(self, session: Session) -> Session:
        self._register.change(
            f"session: {session.name} is {session.stage}", lambda roll: roll.having(session)
        )
        return session
