"""Programs that an agent needs: its own, looked for before tasks are claimed, and ``baton``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.work.profiles import Profile


class CannotWork(BatonError):
    """No agent can be started here, for any task: the worker ends."""

    code = "no_agent"


def require_program(profile: Profile, env: Mapping[str, str], worktree: Path | None = None) -> None:
    """Raise CannotWork unless the program of ``profile`` can be run in ``env``.

    One that lies in the worktree (a relative path, ``{worktree}/…``) can only be looked for once
    there is a ``worktree``; without one it is taken to be there.
    """
    program = profile.program
    path = {**env, **profile.env}.get("PATH", os.defpath)
    if "/" not in program:
        if shutil.which(program, path=path) is None:
            raise CannotWork(
                f"the agent's program {program!r} is not on PATH",
                next="install it, or name another: baton work --agent PROFILE|CMD",
            )
        return
    if worktree is None and (not program.startswith("/") or "{" in program):
        return
    place = Path(worktree or "/", program.replace("{worktree}", str(worktree)))
    if not (place.is_file() and os.access(place, os.X_OK)):
        raise CannotWork(
            f"the agent's program {program!r} is not there, or not executable",
            next="name another: baton work --agent PROFILE|CMD",
        )


def with_baton(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` with ``baton`` on its PATH, at the end, where it is not found there yet.

    An agent asks people through it, also where the worker was started by its full path.
    """
    path = env.get("PATH", os.defpath)
    home = Path(sys.executable).parent
    if shutil.which("baton", path=path) is None and (home / "baton").is_file():
        path = f"{path}{os.pathsep}{home}"
    return {**env, "PATH": path}
