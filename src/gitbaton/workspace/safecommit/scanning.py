"""Asks a configured detector whether a change holds a secret.

The detector is any command that reads text and fails when it finds something, such as ``gitleaks
stdin``. It gets what the commit adds and removes, as a diff, on its standard input. Which one runs
is for each machine to say (workspace/consent.py).
"""

from __future__ import annotations

import shlex
import subprocess
from typing import Final

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.sharing import users_umask
from gitbaton.git.workingtree import WorkingTree

_PATIENCE: Final = 300.0  # seconds
_SHOWN: Final = 2000  # characters of what it prints


def require_no_secret(
    tree: WorkingTree, scanner: str | None, *, before: Oid | None, after: Oid
) -> None:
    """Raise Refused where ``scanner`` fails on the change between two trees, or cannot be run (I9).

    ``before`` None: there was no tree. ``scanner`` None: nothing is asked.
    """
    if scanner is None:
        return
    start = before or tree.git.run("hash-object", "-t", "tree", "--stdin").text
    change = tree.git.run("diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", start, after)
    try:
        done = subprocess.run(
            shlex.split(scanner),
            cwd=tree.top,
            env=dict(tree.git.env),
            input=change.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_PATIENCE,
            umask=users_umask(),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise Refused(
            f"the detector of secrets cannot be run ({scanner}): {error}",
            code="secret",
            next="git config baton.commit.scanner COMMAND",
        ) from error
    if done.returncode != 0:
        said = done.stdout.decode("utf-8", "replace").strip()[-_SHOWN:]
        raise Refused(
            f"the detector of secrets says no (exit status {done.returncode}): "
            f"{said or 'it printed nothing'}",
            code="secret",
            next="take the secret out of the file, or mark it as the detector's manual says",
        )
