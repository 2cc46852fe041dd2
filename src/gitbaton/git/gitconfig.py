"""Git's configuration as it applies somewhere: read once, asked often (git-config(1))."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.git.runner import Git


def read_gitconfig(git: Git) -> dict[str, str]:
    """Return the configuration where ``git`` runs; the last value of a key counts.

    A key without a value (``[commit] gpgSign``) is ``true``.
    """
    listed = git.run("config", "--null", "--list").stdout.decode("utf-8", "surrogateescape")
    found = {}
    for entry in listed.split("\0"):
        key, newline, value = entry.partition("\n")
        if key:
            found[key] = value if newline else "true"
    return found


def flag(settings: Mapping[str, str], key: str, *, default: bool) -> bool:
    """Return a setting that is yes or no; anything that is not a no counts as yes."""
    value = settings.get(key)
    return default if value is None else value.lower() not in ("false", "no", "off", "0", "")
