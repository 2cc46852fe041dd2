"""Gates: a human's yes, bound to exactly what it was given for (pure).

What cannot be evaluated counts as not passed (I9): configuration that cannot be read, a signature
that cannot be checked, an approver who is not on the list, a task that has changed since.

An approval is bound to all that the task asks for. It is not bound to the remarks, although they
are in the prompt too: they come after it, from people (an answer, a rejection) and from the
attempts themselves (a failure, a question), and each would void it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gitbaton.core.errors import BatonError, GateClosed
from gitbaton.tasks.model import Approval, Task

ANY_GATE: Final = "*"

BOUND: Final = (
    "id",
    "title",
    "body",
    "deliverable",
    "checks",
    "needs",
    "paths",
    "branch",
    "target",
    "gate",
    "gate_round",
)
"""The fields an approval is bound to, besides the project and the commit.

``gate_round`` counts the revocations: an approval that was taken back opens nothing when somebody
puts it into the record again, signature or not.
"""


def payload(project: str, task: Task, commit: str | None = None) -> bytes:
    """Return what an approval of ``task`` approves, as canonical JSON: these bytes are signed.

    ``commit``: the commit whose landing is approved; None: the work as described.
    """
    bound: dict[str, Any] = {name: getattr(task, name) for name in BOUND}
    bound |= {"project": project, "commit": commit}
    return json.dumps(bound, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def digest(project: str, task: Task, commit: str | None = None) -> str:
    """Return the SHA-256 of ``payload`` in hex."""
    return hashlib.sha256(payload(project, task, commit)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateKeeper:
    """Decides who may open a gate and whether one is open, by the protected configuration.

    ``approvers``: gate -> names; under ``*`` those for gates that are not listed. A gate without
    a list is on trust: anybody may approve. ``allowed_signers``: that file's text where approvals
    must be signed. ``verify(payload, signature, signer)``: see ``tasks/signing.py``.
    ``unreadable``: why the configuration could not be read; then nothing passes.
    """

    project: str
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    allowed_signers: str | None = None
    verify: Callable[[bytes, str, str], bool] | None = None
    unreadable: str | None = None

    @property
    def signed(self) -> bool:
        """Whether approvals must be signed."""
        return self.allowed_signers is not None

    def on_trust(self, gate: str) -> bool:
        """Tell whether nothing but good manners guards ``gate``."""
        return not self.signed and self._list(gate) is None

    def admit(self, gate: str, person: str) -> None:
        """Raise GateClosed unless ``person`` may open ``gate``."""
        why = self._stranger(gate, person)
        if why is not None:
            raise GateClosed(why, next="baton doctor")

    def closed(self, task: Task, commit: str | None = None) -> str | None:
        """Return why the gate of ``task`` is closed, None if it is open or there is none.

        ``commit``: what is about to land, where that is known.
        """
        if task.gate is None:
            return None
        approval = task.approval
        if approval is None:
            return f"gate {task.gate!r} is not approved"
        why = self._stranger(task.gate, approval.by) or self._void(task, approval, commit)
        return None if why is None else f"gate {task.gate!r} is closed: {why}"

    def _list(self, gate: str) -> Sequence[str] | None:
        return self.approvers.get(gate, self.approvers.get(ANY_GATE))

    def _stranger(self, gate: str, person: str) -> str | None:
        if self.unreadable is not None:
            return f"the approvers cannot be read: {self.unreadable}"
        allowed = self._list(gate)
        if allowed is not None and person not in allowed:
            return f"{person!r} is not among the approvers of {gate!r}"
        return None

    def _void(self, task: Task, approval: Approval, commit: str | None) -> str | None:
        if approval.commit is not None and approval.commit != commit:
            return f"the approval is for the landing of {approval.commit[:12]} only"
        if approval.digest != digest(self.project, task, approval.commit):
            return "the task was changed after it was approved"
        if not self.signed:
            return None
        if approval.signature is None:
            return "the approval is not signed"
        if self.verify is None:
            return "signatures cannot be checked here"
        try:
            signed = payload(self.project, task, approval.commit)
            good = self.verify(signed, approval.signature, approval.by)
        except (BatonError, OSError) as error:
            return f"the signature cannot be checked: {error}"
        return None if good else f"the signature is not one of {approval.by!r}"
