"""The environment variables that an agent is started with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitbaton.core.ids import Nonce
from gitbaton.work.guard import MARK

PORTS_PER_SLOT: Final = 100

# `git rev-parse --local-env-vars`, without the ones that carry settings (GIT_CONFIG*): each of
# them would make git in the worktree work on another repository, index or object store.
ELSEWHERE: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
# Of the session that runs the worker. It would let the agent act as that session.
_NOT_ITS_OWN: Final = frozenset({"BATON_SESSION"})


def agent_environment(
    base: Mapping[str, str],
    *,
    task: str,
    token: str,
    epoch: int,
    agent: str,
    worktree: Path,
    prompt_file: Path,
    slot: int,
    port_base: int,
    mark: Nonce,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment of one agent: ``base``, what the profile adds, and BATON_*.

    ``slot`` counts from 0; the ports from ``port_base`` on (``[work] port_base``) are dealt out to
    the slots, 100 each. ``mark`` is this run's own: by it ``strays`` finds what it left behind.
    """
    kept = {k: v for k, v in base.items() if k not in ELSEWHERE and k not in _NOT_ITS_OWN}
    return {
        **kept,
        **(extra or {}),
        "BATON_TASK": task,
        "BATON_TOKEN": token,
        "BATON_EPOCH": str(epoch),
        "BATON_AGENT": agent,
        "BATON_WORKTREE": str(worktree),
        "BATON_PROMPT_FILE": str(prompt_file),
        "BATON_PORT_BASE": str(port_base + PORTS_PER_SLOT * slot),
        MARK: mark,
        # Nobody is there to type a password: git must fail instead of waiting.
        "GIT_TERMINAL_PROMPT": "0",
    }
