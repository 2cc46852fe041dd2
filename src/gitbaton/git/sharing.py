"""Clones that a group of users share: core.sharedRepository (git-config(1), git-init(1)).

What git writes in such a clone it gives to the group, whatever umask the user has. What we write
gets its permissions from the umask. So that is widened once, for the whole process, as soon as the
clone is known; git's own processes may have it too. Programs of others (hooks, agents) are started
with the user's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from gitbaton.git.runner import Git

_KEY: Final = "core.sharedRepository"
_GROUP: Final = 0o660
_EVERYBODY: Final = 0o664
_MODES: Final = {
    **dict.fromkeys(("group", "true", "yes", "on", "1"), _GROUP),
    **dict.fromkeys(("all", "world", "everybody", "2"), _EVERYBODY),
    **dict.fromkeys(("umask", "false", "no", "off", "0", ""), 0),
}

_users_umask = -1  # until it is widened
_granted = 0  # what the clone's setting gives to others, of reading and writing


def widen(umask: int, setting: str) -> int:
    """Return ``umask`` without what core.sharedRepository = ``setting`` gives to others (pure).

    A number such as ``0640`` says all of it, so the user's own umask does not count. What git
    would not understand changes nothing.
    """
    shared = grant(setting)
    if setting.lower() in _MODES or shared == 0:
        return umask & ~_with_directories(shared)
    return 0o777 & ~_with_directories(shared)


def grant(setting: str) -> int:
    """Return the mode of files under core.sharedRepository = ``setting``, 0 for none (pure)."""
    word = setting.lower()
    if word in _MODES:
        return _MODES[word]
    try:
        return int(word, 8) & 0o666
    except ValueError:
        return 0


def share_files(git: Git, common: Path) -> None:
    """Let what this process makes from here on be shared as the clone at ``common`` is.

    Costs a look at its configuration file; one process of git where that has such a setting.
    """
    global _users_umask, _granted
    setting = _read_setting(git, common)
    if setting is None and _users_umask < 0:
        return
    users = os.umask(0o077) if _users_umask < 0 else _users_umask
    os.umask(users if setting is None else widen(users, setting))
    _users_umask = users
    _granted = 0 if setting is None else grant(setting)


def is_sharing() -> bool:
    """Tell whether this process is at work in a clone whose group may at least read."""
    return bool(_granted & 0o040)


def private_mode() -> int:
    """Return the mode of a file that may hold a secret: ours, and the group's as far as shared."""
    return 0o600 | (_granted & 0o060)


def make_shared(directory: Path, common: Path) -> None:
    """Make ``directory``, beside the clone at ``common``, for whoever that is shared with.

    Inside of a clone git has seen to it that what is made belongs to the group; beside it nobody
    has. Raises OSError where it cannot be made.
    """
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    if is_sharing():
        with contextlib.suppress(OSError):  # of another group than ours: then it is ours alone
            os.chown(directory, -1, common.stat().st_gid)
            directory.chmod(directory.stat().st_mode | stat.S_ISGID)


def users_umask() -> int:
    """Return the umask for programs of others, as subprocess takes it: -1 is the process's own."""
    return _users_umask


def _read_setting(git: Git, common: Path) -> str | None:
    try:
        if b"sharedrepository" not in (common / "config").read_bytes().lower():
            return None
    except OSError:
        return None
    asked = git.run("config", "--get", _KEY, check=False)
    return asked.text if asked.status == 0 else None


def _with_directories(mode: int) -> int:
    """Return ``mode`` with the right to pass where there is one to read."""
    return mode | (mode & 0o444) >> 2
