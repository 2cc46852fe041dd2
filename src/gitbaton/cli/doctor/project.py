"""The configuration that protects people: where it is read, and whether it protects them."""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from gitbaton.app import App
from gitbaton.cli.doctor.finding import Finding, note, ok, problem, warning
from gitbaton.core.config import ProtectedConfig
from gitbaton.core.config_file import FILE_NAME, parse_protected
from gitbaton.core.errors import InvalidInput
from gitbaton.tasks.gates import ANY_GATE
from gitbaton.tasks.machine import FINISHED
from gitbaton.tasks.view import View
from gitbaton.workspace.protection import Protection

_KEY_TYPES: Final = ("ssh-", "ecdsa-", "sk-")


def examine_protection(app: App, view: View | None) -> Iterator[Finding]:
    """Compare what the target branch says with what this working tree says, and test the gates.

    Raises RemoteUnreachable, HostRefused.
    """
    protection = app.protection(fresh=app.remote is not None)
    if protection.unreadable is not None:
        yield problem(
            "config",
            f"{protection.unreadable}: until it can be read, no gate opens",
            next=f"mend it on the branch {protection.target!r}",
        )
        return
    where = f"the branch {protection.target!r}"
    if protection.commit is None:
        yield note("config", f"{where} does not exist yet: the defaults protect it")
    else:
        yield ok("config", f"what protects people is read from {where}")
    yield from _differences(app, protection)
    yield from _signers(app, protection)
    yield from _gates(protection, _gates_in_use(view))


def find_differences(here: ProtectedConfig, there: ProtectedConfig) -> list[str]:
    """Return the dotted keys in which the two differ."""
    ours, theirs = _flat(msgspec.to_builtins(here)), _flat(msgspec.to_builtins(there))
    return sorted(key for key in ours | theirs if ours.get(key) != theirs.get(key))


def check_signers(text: str) -> list[str]:
    """Return what is wrong with an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS)."""
    lines = [line.strip() for line in text.splitlines()]
    keys = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not keys:
        return ["it lists nobody"]
    return [f"line {number} is no signer: {line[:40]!r}" for number, line in keys if not _key(line)]


def _key(line: str) -> bool:
    """Tell whether the line has a key type, and after it a key of that type."""
    words = line.split()
    for kind, blob in itertools.pairwise(words[1:]):
        if kind.startswith(_KEY_TYPES):
            try:
                return kind.encode() in base64.b64decode(blob, validate=True)
            except binascii.Error:
                return False
    return False


def _differences(app: App, protection: Protection) -> Iterator[Finding]:
    try:
        text = (app.clone.top / FILE_NAME).read_text(encoding="utf-8")
        here = parse_protected(text)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, InvalidInput):
        return  # told by who reads the rest of that file
    keys = find_differences(here, protection.config)
    if keys:
        yield note(
            "config",
            f"here {', '.join(keys)} differ{'s' if len(keys) == 1 else ''} from "
            f"{protection.target!r}: what is there counts",
            next=f"to change it, push {FILE_NAME} to {protection.target}",
        )


def _signers(app: App, protection: Protection) -> Iterator[Finding]:
    path = protection.config.project.allowed_signers
    if protection.allowed_signers is None:
        return
    wrong = check_signers(protection.allowed_signers)
    for words in wrong:
        yield problem("signers", f"{path} on {protection.target}: {words}")
    if shutil.which("ssh-keygen", path=app.env.get("PATH", os.defpath)) is None:
        text = "approvals must be signed, and ssh-keygen is not here: no gate opens for this clone"
        yield problem("signers", text, next="install the OpenSSH client")
    elif not wrong:
        yield ok("signers", f"approvals must be signed by somebody in {path}")


def _gates_in_use(view: View | None) -> Mapping[str, list[str]]:
    used: dict[str, list[str]] = {}
    for task in view.tasks.values() if view else ():
        if task.gate is not None and task.status not in FINISHED:
            used.setdefault(task.gate, []).append(task.id)
    return used


def _gates(protection: Protection, used: Mapping[str, list[str]]) -> Iterator[Finding]:
    config, signed = protection.config, protection.allowed_signers is not None
    for name in sorted({*config.gates, *used} - {ANY_GATE}):
        section = config.gates.get(name, config.gates.get(ANY_GATE))
        about = f"gate {name!r}" + (f" (of {_some(used[name])})" if name in used else "")
        if section is None and not signed:
            yield warning(
                "gates",
                f"{about} is not configured: anybody may approve",
                next=f"[gates.{name}] approvers = [...] in {FILE_NAME} on {protection.target}",
            )
        elif section is not None and section.approvers is None and not signed:
            yield warning("gates", f"{about} has no approvers: anybody may approve, on trust")
        elif section is not None and section.approvers == ():
            yield warning("gates", f"{about} has an empty list of approvers: it never opens")
        elif not signed:
            yield note(
                "gates",
                f"{about} has approvers, and names can be set to anything: it is on trust",
                next=f"put their keys into {config.project.allowed_signers}",
            )
        else:
            yield ok("gates", f"{about} opens with a signature")


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")


def _flat(value: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in value.items():
        key = f"{at}.{name}" if at else name
        found.update(_flat(inner, key) if isinstance(inner, dict) else {key: inner})
    return found
