"""What a worker may be called, and which words it may be given by hand (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name
from gitbaton.plans.words import is_kept, pin_word
from gitbaton.tasks.validation import capability


def require_given(words: Sequence[str]) -> None:
    """Raise InvalidInput for capabilities that nobody may give by hand."""
    for word in words:
        if is_kept(word):
            raise InvalidInput("--cap", f"{word!r} is not given by hand: it comes of itself")
        capability(word)


def pin_words(name: str) -> frozenset[str]:
    """Return the word of the worker of this name; a name that is no word has none."""
    try:
        return frozenset({capability(pin_word(name))})
    except InvalidInput:
        return frozenset()


def pinned_name(text: str) -> str:
    """Return ``text`` as the name of a worker that tasks can be pinned to. Raises InvalidInput."""
    name = agent_name(text, field="--name")
    if not pin_words(name):
        raise InvalidInput(
            "--name",
            f"{name!r} cannot be pinned to: lowercase letters, digits and . _ + -",
            next="baton worker serve --name NAME",
        )
    return name
