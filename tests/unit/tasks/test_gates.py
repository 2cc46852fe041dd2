"""Gates: bound to what was approved, by whom, and never open when in doubt (I9)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gitbaton.core.errors import GateClosed
from gitbaton.tasks import transitions
from gitbaton.tasks.gates import BOUND, GateKeeper, digest, payload
from gitbaton.tasks.model import Approval, Task
from tests.unit.tasks.desk import AT, OID, PROJECT, task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNERS = "ann@x ssh-ed25519 AAAA"


def gated(**fields: Any) -> Task:
    return task(gate="security", **fields)


def approved(t: Task, by: str = "ann", commit: str | None = None, **fields: Any) -> Task:
    approval = Approval(by=by, at=AT, digest=digest(PROJECT, t, commit), commit=commit, **fields)
    return msgspec.structs.replace(t, approval=approval)


def keeper(**fields: Any) -> GateKeeper:
    return GateKeeper(project=PROJECT, **fields)


def test_a_task_without_gate_is_open() -> None:
    assert keeper(unreadable="gone").closed(task()) is None


def test_a_gate_is_closed_until_it_is_approved() -> None:
    assert "not approved" in str(keeper().closed(gated()))
    assert keeper().closed(approved(gated())) is None


CHANGED: dict[str, Any] = {
    "id": "u",
    "title": "x",
    "body": "x",
    "deliverable": "x",
    "checks": ("x",),
    "needs": ("x",),
    "paths": ("x",),
    "branch": "x",
    "target": "x",
    "gate": "other",
    "gate_round": 1,
}


def test_every_bound_field_is_tried() -> None:
    assert set(CHANGED) == set(BOUND)


@pytest.mark.parametrize("field", CHANGED)
def test_changing_what_was_approved_voids_the_approval(field: str) -> None:
    changed = msgspec.structs.replace(approved(gated()), **{field: CHANGED[field]})
    assert "changed after it was approved" in str(keeper().closed(changed))


def test_an_approval_that_was_taken_back_cannot_be_put_back() -> None:
    """I9: not even one with a good signature, by whoever can write records."""

    def verify(signed: bytes, signature: str, signer: str) -> bool:
        return signature == hashlib.sha256(signed).hexdigest()

    signed = gated()
    signature = hashlib.sha256(payload(PROJECT, signed)).hexdigest()
    open_task = approved(signed, signature=signature)
    for judge in (keeper(), keeper(allowed_signers=SIGNERS, verify=verify)):
        assert judge.closed(open_task) is None
        revoked = transitions.revoke(open_task, now=NOW)
        replayed = msgspec.structs.replace(revoked, approval=open_task.approval)
        assert judge.closed(replayed) is not None
    again = approved(revoked)
    assert keeper().closed(again) is None


def test_an_approval_of_another_project_is_void() -> None:
    assert GateKeeper(project="elsewhere").closed(approved(gated())) is not None


def test_other_fields_may_change() -> None:
    changed = msgspec.structs.replace(approved(gated()), priority=0, labels=("x",), attempts=2)
    assert keeper().closed(changed) is None


def test_an_approval_for_a_commit_is_for_that_landing_only() -> None:
    t = approved(gated(), commit=OID)
    assert keeper().closed(t, OID) is None
    assert keeper().closed(t) is not None
    assert keeper().closed(t, "b" * 40) is not None


def test_an_approver_must_be_on_the_list_where_there_is_one() -> None:
    assert keeper(approvers={"security": ["ann"]}).closed(approved(gated())) is None
    assert keeper(approvers={"security": ["eve"]}).closed(approved(gated())) is not None
    assert keeper(approvers={"security": []}).closed(approved(gated())) is not None
    assert keeper(approvers={"*": ["eve"]}).closed(approved(gated())) is not None
    assert keeper(approvers={"other": ["eve"]}).closed(approved(gated())) is None
    assert keeper(approvers={"*": ["eve"], "security": ["ann"]}).closed(approved(gated())) is None
    with pytest.raises(GateClosed, match="'bob' is not among"):
        keeper(approvers={"security": ["ann"]}).admit("security", "bob")


def test_what_guards_a_gate_is_known() -> None:
    assert keeper().on_trust("security")
    assert not keeper(approvers={"*": ["ann"]}).on_trust("security")
    assert not keeper(allowed_signers=SIGNERS).on_trust("security")


def test_unreadable_configuration_closes_every_gate() -> None:
    shut = keeper(unreadable="the remote is away")
    assert "the remote is away" in str(shut.closed(approved(gated())))
    with pytest.raises(GateClosed):
        shut.admit("security", "ann")


def says(answer: bool) -> Any:
    return lambda payload, signature, signer: answer


def fails(payload: bytes, signature: str, signer: str) -> bool:
    raise GateClosed("no ssh-keygen")


def test_where_there_are_signers_only_a_good_signature_passes() -> None:
    signed = approved(gated(), signature="SIG")
    assert keeper(allowed_signers=SIGNERS, verify=says(True)).closed(signed) is None
    shut = [
        keeper(allowed_signers=SIGNERS, verify=says(True)).closed(approved(gated())),
        keeper(allowed_signers=SIGNERS, verify=says(False)).closed(signed),
        keeper(allowed_signers=SIGNERS, verify=fails).closed(signed),
        keeper(allowed_signers=SIGNERS).closed(signed),
        keeper(allowed_signers="", verify=says(False)).closed(signed),
    ]
    assert all(shut)


def test_the_signature_is_of_what_is_approved_by_whom() -> None:
    heard: list[tuple[bytes, str, str]] = []

    def listen(payload: bytes, signature: str, signer: str) -> bool:
        heard.append((payload, signature, signer))
        return True

    t = approved(gated(body="do it"), signature="SIG")
    assert keeper(allowed_signers=SIGNERS, verify=listen).closed(t) is None
    [(payload, signature, signer)] = heard
    assert (signature, signer) == ("SIG", "ann")
    assert b'"body":"do it"' in payload
    assert b'"project":"project-1"' in payload
