"""The agents that are known by name."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.work.command import check_words, fill
from gitbaton.work.profiles import BUILT_IN, Profile, custom_profile, find_profile

VALUES = {"prompt": "Task: go", "prompt_file": "/p", "worktree": "/w", "task": "t"}


def test_the_promised_ones_are_built_in() -> None:
    assert set(BUILT_IN) == {"claude", "codex", "gemini", "aider", "gptme", "opencode"}


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=str)
def test_each_is_a_sound_command_with_the_prompt_in_one_place(profile: Profile) -> None:
    assert check_words(profile.words) == profile.words
    assert profile.program == profile.name
    told = [word for word in fill(profile.words, VALUES) if "Task: go" in word or word == "/p"]
    assert len(told) == 1


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=str)
def test_the_prompt_cannot_be_taken_for_an_option(profile: Profile) -> None:
    at = next(i for i, word in enumerate(profile.words) if "{prompt" in word)
    before, word = profile.words[at - 1], profile.words[at]
    assert before == "--" or "=" in word or word == "{prompt_file}"


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=str)
def test_each_says_how_to_see_that_it_is_logged_in(profile: Profile) -> None:
    assert profile.login.argv or profile.login.files
    assert profile.login.hint


def test_a_configured_profile_comes_first() -> None:
    mine = custom_profile(
        "claude", command="my-claude {prompt}", env={"A": "1"}, check="my-claude ok"
    )
    assert find_profile("claude", {"claude": mine}) is mine
    assert find_profile("claude", {}) is BUILT_IN["claude"]
    assert mine.words == ("my-claude", "{prompt}")
    assert mine.login.argv == ("my-claude", "ok")
    assert mine.env == {"A": "1"}


def test_anything_else_is_a_command() -> None:
    assert find_profile("./agent.sh --fast {task}", {}).words == ("./agent.sh", "--fast", "{task}")


def test_words_need_no_splitting() -> None:
    assert custom_profile("x", command=("my agent", "{prompt}")).program == "my agent"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"command": ""}, "agents.x.command"),
        ({"command": ()}, "agents.x.command"),
        ({"command": "a 'b"}, "agents.x.command"),
        ({"command": "sh -c '{prompt}'"}, "agents.x.command"),
        ({"command": "a", "check": "b 'c"}, "agents.x.check"),
        ({"command": "a", "env": {"A=B": "c"}}, "agents.x.env"),
        ({"command": "a", "env": {"A": "\0"}}, "agents.x.env"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        custom_profile("x", **settings)  # type: ignore[arg-type]
    assert caught.value.field == field
