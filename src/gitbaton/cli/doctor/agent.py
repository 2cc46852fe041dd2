"""Whether the agent that was asked for can be used here."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from gitbaton.cli.doctor.finding import Finding, failed, note, ok, problem
from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.work.agentcheck import check_agent
from gitbaton.work.profiles import BUILT_IN, Profile, find_profile
from gitbaton.work.program import require_program


def examine_agent(
    wanted: str, custom: Mapping[str, Profile], env: Mapping[str, str]
) -> Iterator[Finding]:
    """Look for the program of the profile or command ``wanted``, and ask it how it is."""
    known = sorted({*custom, *BUILT_IN})
    try:
        profile = find_profile(wanted, custom)
    except InvalidInput as error:
        yield failed("agent", error)
        return
    try:
        require_program(profile, env)
    except BatonError as error:
        yield _missing(error, profile, known)
        return
    state = check_agent(profile, env)
    if state.version is not None and state.version.status != 0:
        how = state.version.text or f"exit status {state.version.status}"
        yield problem("agent", f"{profile.program!r} does not run: {how}")
    else:
        version = f" ({state.version.text})" if state.version and state.version.text else ""
        yield ok("agent", f"{profile.program!r} is there{version}")
    if state.logged_in is None:
        yield note("agent", f"whether {wanted!r} is logged in cannot be told: no check is known")
    elif state.logged_in:
        yield ok("agent", f"{wanted!r} is logged in: {state.login}")
    else:
        why = f": {state.login}" if state.login else ""
        next = profile.login.hint or None
        yield problem("agent", f"{wanted!r} is not logged in{why}", next=next)


def _missing(error: BatonError, profile: Profile, known: list[str]) -> Finding:
    if profile.name in known:
        return problem("agent", error.message, next=f"install {profile.program}")
    near = difflib.get_close_matches(profile.program, known, 1)
    return problem(
        "agent",
        f"{error.message}, and no profile has that name (known: {', '.join(known)})",
        next=f"baton doctor --agent {near[0] if near else 'PROFILE|CMD'}",
    )
