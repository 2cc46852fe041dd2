"""Why git finds no repository that it can use: there is none, or it says something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.git.answers import printable

# setup.c: outside of one; in a bare one, or in the git directory itself.
_NONE: Final = re.compile(r"not a git repository|must be run in a work tree")
_ALLOWING: Final = re.compile(r"^\s*(git config --global --add safe\.directory .+)$", re.MULTILINE)


def explain_outside(said: str, directory: Path, *, wanted: str, next: str) -> BatonError:
    """Return what it means that git, asked for the repository of ``directory``, failed.

    ``said``: its standard error. ``wanted``, ``next``: what to say where there is no repository;
    all else (a foreign owner, a setting that git cannot read) is said as git says it.
    """
    if _NONE.search(said) or not said.strip():
        return BatonError(f"{directory} is not in {wanted}", next=next)
    allowing = _ALLOWING.search(said)
    words = printable(said[: allowing.start()] if allowing else said)
    if allowing:  # git's own command, for whoever trusts that owner (git-config(1))
        words = words.partition(" To add an exception")[0]
    return BatonError(
        f"git cannot use the repository that {directory} is in: {words}",
        next=allowing[1] if allowing else "git status says the same; mend what it names",
    )
