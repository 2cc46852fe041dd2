"""A repository at a path: git's own services as children, which run its hooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.processes import Service
from gitbaton.git.runner import Git

# What git itself takes out of the environment of a service that it starts for a path (of its
# ``local_repo_env``, what ``runner.clean_environment`` leaves in): it is about our repository.
_OURS = (
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_PROTOCOL",
)


class LocalStarter:
    """Starts services of the repository at ``path``."""

    is_far = False

    def __init__(self, git: Git, path: str) -> None:
        self._binary, self._directory, self._path = git.binary, git.directory, path
        self._env = {name: value for name, value in git.env.items() if name not in _OURS}

    def prepare(self, service: Service, deadline: Deadline, *, version: int = 0) -> Invocation:
        env = {**self._env, "GIT_PROTOCOL": f"version={version}"} if version else self._env
        words = [self._binary, service.removeprefix("git-"), self._path]
        return Invocation(words, env, Path(self._directory))

    def ended_itself(self, status: int | None) -> bool:
        return status is not None and status >= 0

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        """Nothing stays open."""
