"""Asking an agent how it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gitbaton.work.agentcheck import AgentState, Said, check_agent
from gitbaton.work.profiles import BUILT_IN, Profile, custom_profile


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """A directory that stands alone on PATH, with the programs that scripts need."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("sh", "sleep", "touch"):
        (directory / name).symlink_to(f"/bin/{name}")
    return directory


def env(bin: Path, **more: str) -> Mapping[str, str]:
    return {"PATH": str(bin), "HOME": str(bin.parent), **more}


def program(bin: Path, name: str, script: str) -> None:
    (bin / name).write_text(f"#!/bin/sh\n{script}\n")
    (bin / name).chmod(0o755)


def test_a_key_in_the_environment_is_enough(bin: Path) -> None:
    program(bin, "claude", '[ "$1" = --version ] && echo 2.0.1 && exit; exit 1')
    state = check_agent(BUILT_IN["claude"], env(bin, ANTHROPIC_API_KEY="k"))
    assert state == AgentState(Said(0, "2.0.1"), True, "$ANTHROPIC_API_KEY is set")


def test_its_own_word_is_enough(bin: Path) -> None:
    program(bin, "codex", '[ "$*" = "login status" ] || [ "$1" = --version ]')
    state = check_agent(BUILT_IN["codex"], env(bin))
    assert (state.version, state.logged_in) == (Said(0, ""), True)


def test_a_file_is_enough(bin: Path) -> None:
    program(bin, "gemini", "echo 0.9")
    assert check_agent(BUILT_IN["gemini"], env(bin)).logged_in is False
    place = bin.parent / ".gemini" / "oauth_creds.json"
    place.parent.mkdir()
    place.touch()
    assert check_agent(BUILT_IN["gemini"], env(bin)).logged_in is True


def test_logged_out(bin: Path) -> None:
    program(bin, "claude", '[ "$1" = --version ] || exit 7')
    state = check_agent(BUILT_IN["claude"], env(bin))
    assert (state.logged_in, state.login) == (False, "'claude auth status': exit status 7")


def test_a_program_that_does_not_answer_is_ended(bin: Path) -> None:
    """It reads nothing from the terminal, and what it started goes with it."""
    program(bin, "codex", "sh -c 'sleep 600' & sleep 600")
    state = check_agent(BUILT_IN["codex"], env(bin), patience=0.5)
    assert state.version == Said(None, "no answer within 0.5 seconds")
    assert state.logged_in is False


def test_a_broken_interpreter(bin: Path) -> None:
    (bin / "aider").write_text("#!/no/such/python\n")
    (bin / "aider").chmod(0o755)
    state = check_agent(BUILT_IN["aider"], env(bin))
    assert state.version == Said(None, "No such file or directory")


def test_a_command_of_ones_own_is_not_started(bin: Path) -> None:
    """It might take any question for an order."""
    program(bin, "mine", f'touch "{bin}/ran"')
    state = check_agent(Profile(name="mine {prompt}", words=("mine", "{prompt}")), env(bin))
    assert state == AgentState(None, None)
    assert not (bin / "ran").exists()


def test_a_configured_check_is_asked_with_the_profiles_environment(bin: Path) -> None:
    program(bin, "mine", '[ "$1" = ok ] && [ "$COLOUR" = red ]')
    profile = custom_profile("mine", command="mine {task}", env={"COLOUR": "red"}, check="mine ok")
    state = check_agent(profile, env(bin))
    assert (state.version, state.logged_in) == (None, True)
