"""Looks things up in the user's clone: configuration, branches, commits. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid
from gitbaton.git.repository import Clone


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
    """Return the URL that ``git push <remote>`` uses, after ``insteadOf`` and ``pushInsteadOf``."""
    asked = clone.git.run("remote", "get-url", "--push", "--", remote, check=False)
    if asked.status != 0:
        raise InvalidInput(
            "remote", f"there is no remote {remote!r} any more", next="baton init --remote NAME"
        )
    return asked.text


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


def default_branch(clone: Clone, remote: str | None) -> str:
    """Return the branch that ``remote`` calls its own, as far as this clone knows; else ``main``.

    Without a remote: the branch that is checked out, one without a commit included.
    """
    name, prefix = "HEAD", "refs/heads/"
    if remote is not None:
        prefix = f"refs/remotes/{remote}/"
        name = f"{prefix}HEAD"
    found = clone.git.run("symbolic-ref", "--quiet", name, check=False)
    if found.status == 0 and found.text.startswith(prefix):
        return found.text.removeprefix(prefix)
    return "main"


def _resolve(clone: Clone, text: str) -> Oid | None:
    found = clone.git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}", check=False
    )
    return Oid(found.text) if found.status == 0 else None
