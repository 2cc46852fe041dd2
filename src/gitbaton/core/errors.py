"""Every error gitbaton raises on purpose.

    BatonError
    ├── InvalidInput          a field that a person, a file or a program gave is wrong
    ├── Refused               a documented "no": wrong status, unknown task, a guard
    │   ├── UnknownTask
    │   ├── TaskExists
    │   └── WrongStatus
    ├── NothingToClaim        no task was won (empty, waiting, lost, held)
    ├── ClaimLost             the claim is no longer the caller's
    ├── HostRefused           the git host, a hook or its permissions said no
    │   └── NoAtomicPush      it cannot move a record and a branch together
    ├── GateClosed            a human has not approved, or the approval does not hold
    ├── RemoteUnreachable     nothing could be asked of the remote
    │   └── OutcomeUnknown    a change was sent and its fate could not be read back
    ├── DamagedRecord         bytes on the remote that are not one of our records
    └── GitFailed             a git command failed in a way nobody above understands

Library code raises these and nothing else on purpose; foreign errors are translated at the one
boundary where they arise. Each has a ``code`` (stable, for programs), a message (for people) and
``next`` (the command to try). Where one kind has the same answer every time it is said here; of
InvalidInput, ``cli`` names the verb's own help. Only ``cli`` turns them into exit statuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal


class BatonError(Exception):
    """The root: an expected failure, with the next thing to try.

    ``advice``: what that is where nothing better is known.
    """

    code: str = "error"
    advice: ClassVar[str | None] = None

    def __init__(self, message: str, *, next: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next = next or self.advice

    def __reduce__(self) -> tuple[object, ...]:
        # Copied and pickled by its fields: subclasses are not made from the message alone.
        return _revive, (type(self), self.args, self.__dict__)


class InvalidInput(BatonError):
    """``field`` has a value that cannot be used; nothing was changed."""

    code = "invalid"

    def __init__(self, field: str, message: str, *, next: str | None = None) -> None:
        super().__init__(f"{field}: {message}", next=next)
        self.field = field


class Refused(BatonError):
    """The request is well formed and the answer is no, for a documented reason."""

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, next: str | None = None) -> None:
        super().__init__(message, next=next)
        if code is not None:
            self.code = code


class UnknownTask(Refused):
    """No task has this id."""

    def __init__(self, task: str) -> None:
        super().__init__(f"there is no task {task!r}", code="unknown_task", next="baton list")
        self.task = task


class TaskExists(Refused):
    """A task with this id is already there."""

    def __init__(self, task: str) -> None:
        super().__init__(f"task {task!r} already exists", code="exists", next=f"baton show {task}")
        self.task = task


class WrongStatus(Refused):
    """The event is not allowed in the task's present status (see ``tasks/machine.py``)."""

    def __init__(self, task: str, status: str, event: str, *, next: str | None = None) -> None:
        super().__init__(
            f"task {task!r} is {status}: cannot {event} it",
            code="wrong_status",
            next=next or f"baton show {task}",
        )
        self.task, self.status, self.event = task, status, event


class NothingToClaim(BatonError):
    """No claim was won.

    ``reason``: ``empty`` (no open task), ``waiting`` (open ones exist, none is ready), ``lost``
    (others were faster every time), ``held`` (the named task is in somebody's hands).
    """

    def __init__(
        self,
        reason: Literal["empty", "waiting", "lost", "held"],
        message: str,
        *,
        next: str | None = None,
    ) -> None:
        super().__init__(message, next=next)
        self.code = reason


class ClaimLost(BatonError):
    """The token is stale: the claim it proves is not the task's current claim."""

    code = "claim_lost"

    def __init__(self, task: str, message: str, *, next: str | None = None) -> None:
        super().__init__(message, next=next or f"baton show {task}")
        self.task = task


class HostRefused(BatonError):
    """The git host said no (permissions, protected ref, hook, missing capability)."""

    code = "host_refused"

    def __init__(self, reason: str, *, ref: str | None = None, next: str | None = None) -> None:
        where = f" {ref}" if ref else ""
        super().__init__(f"the git host refused{where}: {reason}", next=next or "baton doctor")
        self.ref, self.reason = ref, reason


class NoAtomicPush(HostRefused):
    """The host takes no atomic pushes: what must happen together has to be done in steps."""

    code = "no_atomic"


class GateClosed(BatonError):
    """A gate is not passed. One that cannot be evaluated is not passed either (I9)."""

    code = "gate_closed"


class RemoteUnreachable(BatonError):
    """The remote could not be reached; nothing is known to have changed."""

    code = "unreachable"
    advice = "the same command again when it answers"


class OutcomeUnknown(RemoteUnreachable):
    """A change was sent, the answer was lost, and the state could not be read back."""

    code = "outcome_unknown"
    advice = "baton status, before it is tried again"


class DamagedRecord(BatonError):
    """Bytes where a record should be. The task is quarantined and shown by ``doctor``."""

    code = "damaged"
    advice = "baton doctor"


class GitFailed(BatonError):
    """A git command failed. ``argv``, ``status`` and ``stderr`` say how."""

    code: str = "git_failed"
    advice = "baton doctor"
    tail: ClassVar[int] = 2000

    def __init__(self, argv: Sequence[str], status: int, stderr: str) -> None:
        verb = next_word(argv)
        super().__init__(f"git {verb} failed ({status}): {stderr.strip()[-self.tail :]}")
        self.argv, self.status, self.stderr = tuple(argv), status, stderr


def _revive(kind: type[BatonError], args: tuple[object, ...], fields: dict[str, object]) -> object:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


def next_word(argv: Sequence[str]) -> str:
    """Return the git subcommand in ``argv`` (the first word that is neither git nor an option)."""
    skip = False
    for word in argv[1:]:
        if skip:
            skip = False
        elif word in ("-c", "-C", "--git-dir", "--work-tree"):
            skip = True
        elif not word.startswith("-"):
            return word
    return ""
