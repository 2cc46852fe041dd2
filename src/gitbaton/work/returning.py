"""Claims of workers that died are given back at once: here it is known that nobody has them.

The steps, and what a kill between any two of them leaves, are in docs/design/protocol.md,
section 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, ClaimLost, UnknownTask
from gitbaton.core.ids import Nonce, TaskId
from gitbaton.tasks.claims import Token
from gitbaton.tasks.queue import Queue
from gitbaton.work.outbox import Entry, Outbox
from gitbaton.work.record import ClaimRecord, Phase
from gitbaton.work.strays import end_strays
from gitbaton.work.sync import queued_name

DIED: Final = "its worker died"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returner:
    """Gives claims back in the name of dead workers.

    ``keep(name, commit)`` keeps a commit whatever becomes of its worktree. ``grace``: as for
    ``end_strays``.
    """

    keep: Callable[[str, str], None]
    queue: Queue
    outbox: Outbox
    clock: Clock
    grace: float

    def give_back(self, record: ClaimRecord) -> Entry | None:
        """End what still runs of the agent, and queue the end of the claim: a failed attempt.

        It is sent with all that waits, after the worktree was saved. None: there is nothing to
        give back, or what ends the claim waits already. Raises BatonError when the outbox cannot
        be written; asking the remote in vain is no obstacle.
        """
        if record.phase is Phase.WORKING:  # in the others no agent was ever started, or it ended
            end_strays(record.nonce, grace=self.grace, clock=self.clock)
        token = Token(TaskId(record.task), record.epoch, Nonce(record.nonce))
        waiting = [e for e in self.outbox.entries() if e.body.get("token") == str(token)]
        for entry in waiting:
            if entry.kind == "land" and entry.body.get("commit"):  # killed while it landed
                self.keep(queued_name(token), entry.body["commit"])
        if waiting or not self._may_be_current(token):
            return None
        return self.outbox.put("fail", record.task, {"token": str(token), "reason": DIED})

    def _may_be_current(self, token: Token) -> bool:
        """Tell whether the claim stands, as far as can be seen; the token decides in the end."""
        try:
            self.queue.check(token)
        except (ClaimLost, UnknownTask):
            return False
        except BatonError:
            return True
        return True
