"""The variables taken from an agent, held against what git itself says."""

from __future__ import annotations

import subprocess

from gitbaton.work.environment import ELSEWHERE


def test_every_variable_by_which_git_finds_another_repository_is_taken_away() -> None:
    asked = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True
    )
    settings = {"GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert set(asked.stdout.split()) - settings <= ELSEWHERE
