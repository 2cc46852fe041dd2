"""A result that is ready to land, as a value that can wait in the outbox."""

from __future__ import annotations

from typing import Literal

import msgspec

from gitbaton.core.ids import Oid
from gitbaton.tasks.claims import Token

Way = Literal["branch", "merge"]
How = Literal["branch", "merge", "record"]  # record: published by other means, only named


class LandJob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be published, under which claim, and how.

    ``commit`` None: the task is done without a change. ``base``: where the work started.
    ``checked``: the commit that the checks were green on. ``setup`` prepares a fresh worktree
    for them, should they have to run again. ``files``: globs of which each must match a file in
    what lands.
    """

    token: str
    agent: str
    way: How
    branch: str  # published for `branch`
    target: str  # moved for `merge`
    base: str | None
    commit: str | None
    checked: str | None = None
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    review: bool = False
    text: str | None = None

    @property
    def proof(self) -> Token:
        """The claim under which it lands."""
        return Token.parse(self.token)

    @property
    def oid(self) -> Oid | None:
        """The commit to land."""
        return Oid(self.commit) if self.commit else None
