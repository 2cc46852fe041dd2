"""What a person's clone looks like, apart from ``.git/baton``: equal before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from gitbaton.cli.demo.stage import Stage


def take_snapshot(stage: Stage, clone: Path) -> Mapping[str, str]:
    """Return the refs, HEAD, index, configuration, status, stash and files of ``clone``."""

    def git(*words: str) -> str:
        return stage.git(clone, "--no-optional-locks", *words)

    inside = clone / ".git"
    return {
        "refs": git("for-each-ref"),
        "HEAD": (inside / "HEAD").read_text(encoding="utf-8"),
        "index": hashlib.sha256((inside / "index").read_bytes()).hexdigest(),
        "config": (inside / "config").read_text(encoding="utf-8"),
        "status": git("status", "--porcelain", "--ignored"),
        "stash": git("stash", "list"),
        "worktrees": git("worktree", "list", "--porcelain"),
        "git directory": "\n".join(sorted(e.name for e in inside.iterdir() if e.name != "baton")),
    }
