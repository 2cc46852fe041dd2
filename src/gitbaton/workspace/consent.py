"""What takes effect on a machine only when that machine says so itself (pure).

``baton.toml`` comes with the repository: whoever can push changes it on every machine that pulls.
Git runs no command and writes to no directory because a tracked file says so, and neither do we.
Such a setting counts as git's own configuration here has it, which no push can reach: the same key
behind ``baton.``. What ``baton.toml`` names is a proposal, refused until this machine has answered.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Final

from gitbaton.core.errors import Refused

_WHAT: Final = {
    "commit.scanner": "run a command at every commit",
    "work.worktrees": "put worktrees into another directory",
}


def decide(key: str, proposed: str | None, settings: Mapping[str, str]) -> str | None:
    """Return the value of ``key`` (``table.name`` in ``baton.toml``) that counts on this machine.

    ``proposed``: what ``baton.toml`` has. ``settings``: git's configuration (read_gitconfig); its
    answer wins, and an empty one is a no: None. Raises Refused where nobody has answered.
    """
    said = settings.get(f"baton.{key}")
    if said is not None:
        return said or None
    if proposed is None:
        return None
    answer = f"git config baton.{key}"
    raise Refused(
        f"baton.toml asks to {_WHAT[key]}, and a file that others can push does not decide that: "
        f"{proposed}",
        code="not_confirmed",
        next=f"{answer} {shlex.quote(proposed)} (or, to do without: {answer} '')",
    )
