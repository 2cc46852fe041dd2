"""Splitting and filling commands: what a task says stays one argument (I8)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import InvalidInput
from gitbaton.work.command import LONGEST_VALUE, check_words, fill, parse_command

VALUES = {
    "prompt": "Task x: do it",
    "prompt_file": "/w/prompt.txt",
    "worktree": "/w/tree",
    "task": "task-001",
}


def filled(text: str, **values: str) -> list[str]:
    return fill(parse_command(text), {**VALUES, **values})


def test_words_are_split_as_a_shell_splits_them() -> None:
    assert parse_command("a 'b c' \"d e\" f\\ g") == ("a", "b c", "d e", "f g")


def test_placeholders_are_filled_after_splitting() -> None:
    prompt = "Say \"hi\"; $(rm -rf /) `x` 'y'\n\t&& z"
    assert filled("agent -p {prompt} --id={task}", prompt=prompt) == [
        "agent",
        "-p",
        prompt,
        "--id=task-001",
    ]


def test_a_value_is_not_looked_at_again() -> None:
    assert filled("agent {prompt}", prompt="use {task} and {prompt}") == [
        "agent",
        "use {task} and {prompt}",
    ]


@pytest.mark.parametrize("word", ["{}", "{other}", '{"a": {"b": 1}}', "{{x}}", "{ prompt }", "{0}"])
def test_every_other_brace_is_left_alone(word: str) -> None:
    assert fill(["agent", word], VALUES) == ["agent", word]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300))
def test_a_prompt_is_one_argument_whatever_it_says(prompt: str) -> None:
    told = f"T{prompt}"
    assert filled("agent {prompt} end", prompt=told) == ["agent", told, "end"]


def test_a_real_program_gets_the_value_unchanged() -> None:
    prompt = 'x\'; echo "$HOME" \\ *\n{task}'
    show = "import sys; sys.stdout.write(sys.argv[1])"
    words = fill([sys.executable, "-I", "-S", "-c", show, "{prompt}"], {**VALUES, "prompt": prompt})
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    assert shown.stdout == prompt


def test_an_overlong_prompt_becomes_a_pointer_to_its_file() -> None:
    for size in (LONGEST_VALUE, LONGEST_VALUE + 1):
        word = filled("agent {prompt}", prompt="x" * size)[1]
        assert ("/w/prompt.txt" in word) == (size > LONGEST_VALUE)
    assert "/w/prompt.txt" in filled("agent {prompt}", prompt="é" * (LONGEST_VALUE // 2 + 1))[1]


@pytest.mark.parametrize("value", ["-rf", "--help", "-", "a\0b"])
def test_a_value_that_could_be_an_option_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="prompt"):
        filled("agent {prompt}", prompt=value)


@pytest.mark.parametrize("text", ["", "   ", "agent 'open", "''", "a\0b"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_command(text, field="agents.x.command")
    assert caught.value.field == "agents.x.command"


@pytest.mark.parametrize("text", ["{prompt}", "{task} x", "./{prompt}.sh", "{prompt_file}"])
def test_a_task_cannot_choose_the_program(text: str) -> None:
    with pytest.raises(InvalidInput, match="program"):
        parse_command(text)


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'agent {prompt}'",
        "/bin/bash -lc 'agent {prompt}'",
        "bash -e -c 'agent {task}'",
        "bash -c -x 'agent {prompt}'",
        "sh -c -- 'agent {prompt}'",
        "env A=1 timeout 5 bash -c 'agent \"{prompt}\"'",
        "su nobody -c 'agent {prompt}'",
        "su --command='agent {prompt}' nobody",
        "fish --command 'agent {prompt}'",
        "python3.11 -c 'run(\"{prompt}\")'",
        "perl -we 'print q({prompt})'",
        "node --eval 'f(`{prompt}`)'",
    ],
)
def test_a_value_never_becomes_program_text(text: str) -> None:
    with pytest.raises(InvalidInput, match="program text"):
        parse_command(text)


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'agent \"$1\"' sh {prompt}",
        "bash run.sh -c {prompt}",
        "bash -e {worktree}/run.sh {prompt}",
        "{worktree}/tools/agent {prompt}",
        "python agent.py -c {prompt_file}",
        "agent -c '{\"prompt\": 1}' {prompt}",
    ],
)
def test_the_safe_ways_are_allowed(text: str) -> None:
    words = parse_command(text)
    assert check_words(words) == words
