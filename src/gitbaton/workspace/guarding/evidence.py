"""What is known of a task without the network: the tokens of this clone, and its own engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.core.ids import TaskId
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.layout import live_path, parked_path
from gitbaton.store.model import make_key
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import COLLECTION, Claim
from gitbaton.tasks.validation import decode_task
from gitbaton.workspace.guarding.verdict import Evidence, Record, Stored
from gitbaton.workspace.held import HeldClaim, HeldClaims, Session


@dataclass(frozen=True, slots=True)
class Witness:
    """What one session can know offline.

    ``token``: BATON_TOKEN. ``records``: the shared records where they are on this machine (the
    sqlite engine), else None: a remote is not asked. ``seen``: whether the board, as it was last
    seen in this clone, has a task.
    """

    held: HeldClaims
    session: Session
    token: str | None
    records: Store | None
    clock: Clock
    seen: Callable[[TaskId], bool]

    def testify(self, task: TaskId) -> Evidence:
        """Return what is known of ``task``."""
        shown = self._shown(task)
        kept = self.held.find(task)
        stored = self._judge(kept)
        mine = [shown] if shown else []
        if kept is not None and stored in ("mine", "run out"):
            mine.append(Token.parse(kept.token))
        record, holder = self._look(task, mine)
        if holder is None and kept is not None and stored == "others":
            holder = kept.holder
        exists = record == "unknown" and stored == "none" and self.seen(task)
        return Evidence(
            record=record, shown=shown is not None, stored=stored, exists=exists, holder=holder
        )

    def _shown(self, task: TaskId) -> Token | None:
        try:
            token = Token.parse(self.token or "")
        except InvalidInput:
            return None
        return token if token.task == task else None

    def _judge(self, kept: HeldClaim | None) -> Stored:
        if kept is None:
            return "none"
        current = kept.is_current(elapsed=self.clock.elapsed(), origin=self.clock.origin)
        if self.held.objection(kept, self.session) is None:
            return "mine" if current else "run out"
        return "others" if current else "none"

    def _look(self, task: TaskId, mine: list[Token]) -> tuple[Record, str | None]:
        """Return whose the task is by its record, and who that is."""
        if self.records is None:
            return "unknown", None
        key = make_key(COLLECTION, task)
        try:
            found = self.records.read(key).records.get(key)
            claim = None if found is None else decode_task(key, found.value).claim
        except BatonError:
            return "unknown", None  # what cannot be read proves nothing (I9)
        if found is None:
            return "no task", None
        if claim is None:
            return "nobody", None
        ours = any(_proves(token, claim) for token in mine)
        return ("ours", None) if ours else ("others", claim.agent)


def _proves(token: Token, claim: Claim) -> bool:
    return (token.epoch, token.nonce) == (claim.epoch, claim.nonce)


def was_on_board(repository: CoordinationRepository, task: TaskId) -> bool:
    """Tell whether the board, as it was last seen in this clone, has ``task``. Asks nobody."""
    board = repository.remembered("board")
    if board is None:
        return False
    places = (live_path(task), parked_path(task))
    return any(repository.objects.find_many([f"{board}:{place}" for place in places]))
