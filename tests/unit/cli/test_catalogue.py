"""The catalogue of verbs and the files agree."""

from __future__ import annotations

import importlib
import pkgutil

import click
import pytest

from gitbaton.cli import verbs
from gitbaton.cli.catalogue import HIDDEN, VERBS
from gitbaton.cli.reference import members
from gitbaton.cli.verb import Family, Verb, root

ALL = {**VERBS, **HIDDEN}


def test_every_verb_is_one_file_and_every_file_one_verb() -> None:
    files = {module.name for module in pkgutil.iter_modules(verbs.__path__)}
    assert files == {name.replace("-", "_") for name in ALL}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_verb_is_what_the_catalogue_says(name: str) -> None:
    command = importlib.import_module(f"gitbaton.cli.verbs.{name.replace('-', '_')}").command
    assert isinstance(command, Verb | Family)
    assert (command.name, command.short_help) == (name, ALL[name])
    assert command.help, "its own help says the rest"
    assert root().get_command(click.Context(root()), name) is command
    for title, member in members(name, command):
        assert member.help, title
        for param in member.params:
            assert isinstance(param, click.Argument) or param.help, f"{title} {param.opts}"


def test_an_unknown_verb_is_none() -> None:
    assert root().get_command(click.Context(root()), "os") is None
