"""The example that ``baton plan new`` writes: a plan that validates, with a word on every key."""

from __future__ import annotations

from importlib import resources


def example_plan(schema: str) -> str:
    """Return the text of a plan file. ``schema``: where its editor finds the JSON Schema."""
    text = resources.files("gitbaton.plans").joinpath("example.toml").read_text(encoding="utf-8")
    _, _, rest = text.partition("\n")
    return f"#:schema {schema}\n{rest}"
