"""The JSON Schema of an op, for streams in any language: ``python -m gitbaton.frames.schema``.

It ships with the package as ``op.schema.json``. A test compares it with what the model says. What
a schema cannot say, the codec checks besides: the documents that frames keep for themselves, and
how deep a value may be nested.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from gitbaton.frames.op import Op

FILE_NAME: Final = "op.schema.json"


def make_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) that the model stands for."""
    [top], parts = msgspec.json.schema_components([Op], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An op: one line of a stream's ops file",
        "anyOf": top["anyOf"],
        "$defs": {name: _tidied(part) for name, part in parts.items()},
    }


def render_schema() -> str:
    """Return the schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(make_schema()), indent=2).decode() + "\n"


def shipped_schema() -> str:
    """Return the schema that came with this package."""
    return resources.files("gitbaton.frames").joinpath(FILE_NAME).read_text(encoding="utf-8")


def _tidied(part: dict[str, Any]) -> dict[str, Any]:
    """Return an op's schema with its meaning in front, and what excludes each other said."""
    rest = {key: value for key, value in part.items() if key not in ("title", "description")}
    words = part["description"].partition(": ")[2]
    exclusive = {"not": {"required": ["base", "new"], "properties": {"new": {"const": True}}}}
    return {"description": f"{words[:1].upper()}{words[1:]}", **rest, **exclusive}


if __name__ == "__main__":
    (Path(__file__).parent / FILE_NAME).write_text(render_schema(), encoding="utf-8")
