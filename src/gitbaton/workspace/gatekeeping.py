"""Turns the protection of this clone into the gatekeeper that the queue asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gitbaton.core.config import ProtectedConfig
from gitbaton.store.model import Actor
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.signing import sign, verifier
from gitbaton.workspace.protection import Protection


def make_gatekeeper(project: str, protection: Protection) -> GateKeeper:
    """Return the gatekeeper that applies ``protection``."""
    signers = protection.allowed_signers
    return GateKeeper(
        project=project,
        approvers={
            name: gate.approvers
            for name, gate in protection.config.gates.items()
            if gate.approvers is not None
        },
        allowed_signers=signers,
        verify=None if signers is None else verifier(signers),
        unreadable=protection.unreadable,
    )


def as_approver(person: Actor, protection: Protection) -> Actor:
    """Return ``person`` under the name that the approvers' lists know: e-mail or git name.

    Signers are listed by e-mail as a rule, so that wins where both could be meant.
    """
    listed = _listed(protection.config)
    signers = (protection.allowed_signers or "").splitlines()
    principals = {word for line in signers for word in line.split(" ")[0].split(",") if word}
    if person.email in listed | principals:
        return Actor(person.email, person.email)
    return person


def find_signer(config: Mapping[str, str], home: Path) -> Callable[[bytes], str] | None:
    """Return what signs with the key git would sign with; None when git has no SSH key set.

    ``config`` is git's own (``gpg.format``, ``user.signingkey``); ``home`` expands ``~``.
    """
    key = config.get("user.signingkey", "")
    if config.get("gpg.format") != "ssh" or not key or key.startswith(("key::", "ssh-")):
        return None
    path = home / key.removeprefix("~/") if key.startswith("~/") else Path(key)
    return lambda payload: sign(payload, path)


def _listed(config: ProtectedConfig) -> set[str]:
    return {name for gate in config.gates.values() for name in gate.approvers or ()}
