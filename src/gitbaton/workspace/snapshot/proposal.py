"""What is shown to the hooks of a commit, and what they leave of it. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry

LEAST_CAP = 4096


class HookSettings(Struct, frozen=True, kw_only=True):
    """How hooks are run.

    ``links``: paths from the top that git ignores and hooks need, linked into the checkout.
    ``timeout``: seconds for one hook (None: no bound). ``accept_fixes``: a pre-commit that refused
    and changed named files is run once more on its own fixes. ``cap``: bytes of output kept.
    """

    links: tuple[str, ...] = ()
    timeout: float | None = 900.0
    accept_fixes: bool = True
    cap: int = 1_000_000

    def __post_init__(self) -> None:
        if self.cap < LEAST_CAP:
            raise ValueError(f"{self.cap} bytes of output are too few to be of use")


class Proposal(Struct, frozen=True, kw_only=True):
    """A commit that is about to be made.

    ``tree``: what shall be committed; its objects are in the clone. ``head``: the commit that HEAD
    names meanwhile (the parent; under ``--amend`` the commit to be replaced; None: unborn).
    ``branch``: the full ref that HEAD stands on, None when it is detached. ``paths``: the named
    files, from the top, without directories. ``message`` is the draft, and ``source`` what git
    tells prepare-commit-msg about it: ``("message",)`` or ``("commit", "HEAD")`` (githooks(5)).
    ``identity``: GIT_AUTHOR_NAME and the like. ``prefix``: the directory that the command was given
    in, from the top, with a final slash.
    """

    tree: Oid
    head: Oid | None
    branch: str | None
    paths: frozenset[bytes]
    message: bytes
    source: tuple[str, ...] = ("message",)
    identity: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


class Fix(Struct, frozen=True):
    """What hooks made of one named file. None: it is not in the tree (before, afterwards)."""

    path: bytes
    before: Entry | None
    after: Entry | None


class Checked(Struct, frozen=True, kw_only=True):
    """What the hooks let pass.

    ``tree`` is the proposal's with ``fixes``. ``message`` is as commit-msg left it: not cleaned up.
    ``output`` is what the hooks printed, capped. ``dropped`` are files that were not named, and
    whose changes by hooks are therefore not committed. ``ran`` are the hooks that ran.
    """

    tree: Oid
    message: bytes
    output: bytes = b""
    fixes: tuple[Fix, ...] = ()
    dropped: tuple[bytes, ...] = ()
    ran: tuple[str, ...] = ()


CORRECT: Final = "correct what the hook names, then commit again"


class HookFailed(Refused):
    """A hook refused the commit, or could not be run. Nothing was changed.

    ``status``: its exit status (128 + n after signal n), None when it took too long or could not
    be started. ``output``: what all hooks printed so far, capped.
    """

    def __init__(
        self, hook: str, reason: str, *, status: int | None, output: bytes, next: str = CORRECT
    ) -> None:
        super().__init__(
            f"the {hook} hook {reason}",
            code="hook_failed",
            next=next,
        )
        self.hook, self.status, self.output = hook, status, output
