"""The user's clone, byte for byte: whatever agents do, it must not change."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

OURS = "baton"  # below the common git directory; everything else is the user's

_ASKED = (
    ("status", "--porcelain=v2", "--branch", "--ignored"),
    ("stash", "list"),
    ("for-each-ref",),
    ("config", "--list", "--local"),
    ("worktree", "list", "--porcelain"),
)


def clone_state(top: Path) -> dict[str, str]:
    """Return what can be seen of the clone at ``top``: its files' content, and git's answers."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    found = {
        " ".join(words): subprocess.run(
            ["git", *words], cwd=top, env=env, capture_output=True, text=True, check=True
        ).stdout
        for words in _ASKED
    }
    for directory, folders, files in os.walk(top):
        if Path(directory) == top / ".git":
            folders.remove(OURS)
        for name in files:
            path = Path(directory, name)
            content = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            found[str(path.relative_to(top))] = f"{path.lstat().st_mode:o} {digest}"
    return found


@contextlib.contextmanager
def unchanged(top: Path) -> Iterator[None]:
    """Fail if anything of the user's changes in the clone at ``top`` meanwhile.

    Refs, index, configuration, stash, hooks, objects and files are compared byte for byte.
    """
    before = clone_state(top)
    yield
    after = clone_state(top)
    changed = sorted(n for n in before | after if before.get(n) != after.get(n))
    assert not changed, f"the user's clone changed: {', '.join(changed)}"
