"""The reference pages say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.cli.catalogue import VERBS
from gitbaton.cli.reference import render_cli, render_configuration, render_pages

PAGES = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(render_pages()))
def test_the_page_is_current(name: str) -> None:
    assert (PAGES / name).read_text(encoding="utf-8") == render_pages()[name], (
        "run: python -m gitbaton.cli.reference docs/reference"
    )


def test_every_verb_and_key_is_on_the_page() -> None:
    cli, configuration = render_cli(), render_configuration()
    assert all(f"### `baton {name}" in cli for name in VERBS)
    for words in ("### `[queue]`", "| `lease` | duration | `15m` |", "### `[gates.NAME]`"):
        assert words in configuration
