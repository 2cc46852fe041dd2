"""Commands as people write them: split into words, then filled in. Pure.

No shell runs unless the command names one, and a value is never split again (I8): a prompt with
quotes, spaces or ``$(...)`` in it is one argument, whatever it says.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from gitbaton.core.errors import InvalidInput

LONGEST_VALUE: Final = 100_000
"""Bytes of prompt that are passed as an argument. Linux allows 131,072 for one argument
(MAX_ARG_STRLEN, execve(2)); macOS 1 MiB for all of them and the environment."""

_PLACEHOLDER = re.compile(r"\{(prompt|prompt_file|worktree|task)\}")
# Program (without its version) -> the option letters after which it takes program text.
_TAKES_CODE: Final = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish"), "c"),
    **dict.fromkeys(("su", "runuser", "python"), "c"),
    **dict.fromkeys(("perl", "ruby"), "e"),
    "node": "ep",
    "php": "r",
}


def parse_command(text: str, *, field: str = "agent") -> tuple[str, ...]:
    """Split ``text`` into words as a POSIX shell would; placeholders are left for ``fill``.

    Raises InvalidInput naming ``field`` for an empty command, an open quote, a control character,
    and for a placeholder in a place where its value would be run as code (see ``check_words``).
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(field, f"{text!r}: {error}") from error
    return check_words(words, field=field)


def check_words(words: Sequence[str], *, field: str = "agent") -> tuple[str, ...]:
    """Return ``words`` as a command template, or raise InvalidInput naming ``field``.

    Refused is a placeholder inside the text of ``sh -c TEXT`` or ``python -c TEXT``, because its
    value would be run as code, and one that decides which program runs. (``ssh HOST WORDS`` and
    the like also make code of their arguments, out of our sight: copy the prompt file instead.)
    """
    if not words or not words[0]:
        raise InvalidInput(field, "the command is empty")
    if any("\0" in word for word in words):
        raise InvalidInput(field, "the command contains a NUL character")
    if set(_PLACEHOLDER.findall(words[0])) - {"worktree"}:
        raise InvalidInput(field, f"the program to run cannot come from a task: {words[0]!r}")
    for code in _code_words(words):
        if _PLACEHOLDER.search(code):
            raise InvalidInput(
                field,
                "a placeholder inside program text (-c) would be run as code; write "
                """sh -c 'my-agent "$1"' sh {prompt}, or use "$BATON_PROMPT_FILE" in the text""",
            )
    return tuple(words)


def fill(words: Sequence[str], values: Mapping[str, str], *, field: str = "agent") -> list[str]:
    """Replace {prompt}, {prompt_file}, {worktree} and {task} in ``words`` by their values.

    ``values`` has all four. Every other brace is left alone: JSON in arguments is common. Values
    are not looked at again for placeholders. A prompt of more than ``LONGEST_VALUE`` bytes does
    not fit an argument: in its place the agent is told to read the prompt file. Raises
    InvalidInput for a value that starts with ``-``, which an agent would take for an option, or
    contains NUL; those that the worker makes never do.
    """
    for name, value in values.items():
        if value.startswith("-") or "\0" in value:
            raise InvalidInput(field, f"the value of {{{name}}} cannot be an argument: {value!r}")
    given = dict(values)
    if len(given["prompt"].encode(errors="surrogateescape")) > LONGEST_VALUE:
        given["prompt"] = f"Read the file {given['prompt_file']} and do what it says."
    return [_PLACEHOLDER.sub(lambda found: given[found[1]], word) for word in words]


def _code_words(words: Sequence[str]) -> Iterator[str]:
    """Yield the words that a shell or an interpreter will run as program text."""
    for at, word in enumerate(words):
        name = PurePath(word).name.rstrip("0123456789.")
        letters = _TAKES_CODE.get(name)
        if not letters:
            continue
        long = ("--command", "--eval")
        code_follows = False
        for option in words[at + 1 :]:
            if option.startswith(tuple(f"{start}=" for start in long)):
                yield option
            elif option.startswith(("-", "+")):
                short = not option.startswith("--") and any(c in option for c in letters)
                code_follows = code_follows or short or option in long
            elif code_follows:
                yield option
                break
            elif name not in ("su", "runuser"):  # a script, or an option's value
                break
