"""The JSON Schema of a plan file, for editors: ``python -m gitbaton.plans.schema`` writes it anew.

It ships with the package as ``plan.schema.json``. A test compares it with what the model says.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from gitbaton.core.config import Seconds
from gitbaton.plans.model import Plan

FILE_NAME: Final = "plan.schema.json"
DURATION: Final = r"^[0-9]+(\.[0-9]+)?[smhd]$"


def make_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) that the model stands for."""
    [top], parts = msgspec.json.schema_components(
        [Plan], ref_template="#/$defs/{name}", schema_hook=_duration
    )
    name = top["$ref"].rpartition("/")[2]
    whole = parts.pop(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A gitbaton plan",
        **_tidied(whole),
        "$defs": {part: _tidied(form) for part, form in parts.items()},
    }


def render_schema() -> str:
    """Return the schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(make_schema()), indent=2).decode() + "\n"


def shipped_schema() -> str:
    """Return the schema that came with this package."""
    return resources.files("gitbaton.plans").joinpath(FILE_NAME).read_text(encoding="utf-8")


def _tidied(part: dict[str, Any]) -> dict[str, Any]:
    """Return a table's schema without what TOML cannot say (null) and nobody needs to read."""
    words = part["description"].partition(": ")[2]
    fields = {name: _without_null(form) for name, form in part["properties"].items()}
    rest = {key: value for key, value in part.items() if key not in ("title", "description")}
    return {"description": f"{words[:1].upper()}{words[1:]}", **rest, "properties": fields}


def _without_null(form: dict[str, Any]) -> dict[str, Any]:
    kept = [one for one in form.get("anyOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in form.items() if key != "anyOf"}
    if rest.get("default", 0) is None:
        del rest["default"]
    if len(kept) == 1:
        return {**kept[0], **rest}
    return {**rest, "anyOf": kept} if kept else rest


def _duration(kind: type) -> dict[str, Any]:
    if kind is not Seconds:
        raise NotImplementedError(kind)
    return {"type": "string", "pattern": DURATION, "examples": ["90s", "15m", "2h"]}


if __name__ == "__main__":
    (Path(__file__).parent / FILE_NAME).write_text(render_schema(), encoding="utf-8")
