"""Looks things up in the user's clone and its remote: configuration, branches, commits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitbaton.core.errors import InvalidInput, RemoteUnreachable
from gitbaton.core.ids import Oid, branch_name
from gitbaton.git.failures import failure, shown
from gitbaton.git.repository import Clone
from gitbaton.git.runner import Git, GitTimeout

_PATIENCE: Final = 60.0  # seconds


def read_git_config(clone: Clone) -> dict[str, str]:
    """Return git's configuration as it applies in the clone; the last value of a key counts."""
    listed = clone.git.run("config", "--null", "--list").stdout.decode("utf-8", "replace")
    pairs = (entry.partition("\n") for entry in listed.split("\0") if entry)
    return {key: value for key, _, value in pairs}


def remote_urls(config: Mapping[str, str]) -> dict[str, str]:
    """Return the remotes that have a URL: name -> URL."""
    found = {}
    for key, value in sorted(config.items()):
        if key.startswith("remote.") and key.endswith(".url"):
            found[key.removeprefix("remote.").removesuffix(".url")] = value
    return found


def push_url(clone: Clone, remote: str) -> str:
    """Return the URL that ``git push <remote>`` uses, after ``insteadOf`` and ``pushInsteadOf``.

    A relative path is made absolute.
    """
    asked = clone.git.run("remote", "get-url", "--push", "--", remote, check=False)
    if asked.status != 0:
        raise InvalidInput(
            "remote", f"there is no remote {remote!r} any more", next="baton init --remote NAME"
        )
    return rooted(asked.text, clone.top)


def rooted(url: str, top: Path) -> str:
    """Return ``url``, or where it is a relative path, that path from ``top``, as git takes it."""
    is_path = "::" not in url and ":" not in url.partition("/")[0]  # url_is_local_not_ssh in url.c
    if not is_path or not url or url[0] in "/-~":  # (a home, to the program at the other end)
        return url
    path = f"{top}/{url}"
    return path if path.isprintable() else url


def find_branch(clone: Clone, name: str) -> Oid:
    """Return the commit of the local branch ``name``; raise InvalidInput if there is none."""
    found = _resolve(clone, f"refs/heads/{name}")
    if found is None:
        raise InvalidInput("branch", f"there is no branch {name!r} with a commit in {clone.top}")
    return found


def find_commit(clone: Clone, text: str) -> Oid:
    """Return the commit that ``text`` names in the clone; raise InvalidInput if it names none."""
    found = _resolve(clone, text)
    if found is None:
        raise InvalidInput("commit", f"{text!r} names no commit in {clone.top}")
    return found


def checked_out_branch(clone: Clone) -> str:
    """Return the branch that is checked out (one without a commit counts), else ``main``."""
    found = clone.git.run("symbolic-ref", "--quiet", "HEAD", check=False)
    return found.text.removeprefix("refs/heads/") if found.status == 0 else "main"


def known_default_branch(clone: Clone, remote: str) -> str | None:
    """Return the branch that ``remote`` calls its own as ``git clone`` noted it, else None."""
    prefix = f"refs/remotes/{remote}/"
    found = clone.git.run("symbolic-ref", "--quiet", f"{prefix}HEAD", check=False)
    if found.status != 0 or not found.text.startswith(prefix):
        return None
    return found.text.removeprefix(prefix)


def ask_default_branch(git: Git, url: str) -> str | None:
    """Ask the repository at ``url`` for the branch that it calls its own.

    None where it has no commit yet. Raises RemoteUnreachable, HostRefused.
    """
    try:
        asked = git.run("ls-remote", "--symref", "--", url, "HEAD", timeout=_PATIENCE, check=False)
    except GitTimeout as error:
        raise RemoteUnreachable(f"{shown(url)} did not answer: {error.message}") from error
    if asked.status != 0:
        raise failure(asked.stderr, url)
    named = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", asked.text, re.MULTILINE)
    return branch_name(named[1]) if named else None


def _resolve(clone: Clone, text: str) -> Oid | None:
    found = clone.git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}", check=False
    )
    return Oid(found.text) if found.status == 0 else None
