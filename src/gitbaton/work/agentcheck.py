"""Whether an agent can be used on this machine: its program is there, runs, and is logged in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.git.runner import end_group
from gitbaton.work.profiles import BUILT_IN, LoginCheck, Profile

PATIENCE: Final = 20.0  # seconds for one question


@dataclass(frozen=True, slots=True)
class Said:
    """How a question to a program ended. ``status`` None: it could not be asked."""

    status: int | None
    text: str  # its first line, or why it could not be asked


@dataclass(frozen=True, slots=True)
class AgentState:
    """What was found out.

    ``version``: its answer to ``--version``, asked of built-in agents only: any other command
    might take it for an order. ``logged_in`` None: there is nothing known to log in to. ``login``:
    what showed it, or what was said instead.
    """

    version: Said | None
    logged_in: bool | None
    login: str = ""


def check_agent(
    profile: Profile, env: Mapping[str, str], *, patience: float = PATIENCE
) -> AgentState:
    """Ask the agent of ``profile`` how it is, as a worker with ``env`` would run it."""
    given = {**env, **profile.env}
    known = BUILT_IN.get(profile.name) is profile
    version = _ask((profile.program, "--version"), given, patience) if known else None
    logged_in, words = _login(profile.login, given, patience)
    return AgentState(version, logged_in, words)


def _login(check: LoginCheck, env: Mapping[str, str], patience: float) -> tuple[bool | None, str]:
    """Return whether one of the signs is there, the cheap ones first, and which."""
    for name in check.env:
        if env.get(name):
            return True, f"${name} is set"
    for file in check.files:
        if Path(env.get("HOME", "/"), file.removeprefix("~/")).exists():
            return True, f"{file} is there"
    if check.argv:
        command, said = " ".join(check.argv), _ask(check.argv, env, patience)
        if said.status == 0:
            return True, f"{command!r} says so"
        how = said.text if said.status is None else f"exit status {said.status}"
        return False, f"{command!r}: {how}"
    return (False, "") if check.env or check.files else (None, "")


def _ask(argv: Sequence[str], env: Mapping[str, str], patience: float) -> Said:
    """Run ``argv`` with its input closed; after ``patience`` seconds it is ended."""
    try:
        process = subprocess.Popen(
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Said(None, os.strerror(error.errno) if error.errno else str(error))
    with process:
        try:
            out, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            end_group(process)
            return Said(None, f"no answer within {patience:g} seconds")
        except BaseException:
            end_group(process)
            raise
    lines = out.decode("utf-8", "replace").split("\n")
    return Said(process.returncode, next((line.strip() for line in lines if line.strip()), ""))
