"""The JSON Schema says what the model and the reader say."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest

from gitbaton.plans.model import Header, Phase
from gitbaton.plans.scaffold import example_plan
from gitbaton.plans.schema import DURATION, render_schema, shipped_schema

SCHEMA: dict[str, Any] = json.loads(render_schema())


def complaints(value: Any, form: dict[str, Any]) -> list[str]:
    """Return what is wrong with ``value``, by the few words of JSON Schema that ours has."""
    known = {
        *("$schema", "$ref", "$defs", "title", "description", "default", "examples"),
        *("type", "properties", "required", "additionalProperties", "items", "anyOf", "pattern"),
        *("minimum", "maximum", "minItems"),
    }
    assert set(form) <= known, set(form) - known
    if "$ref" in form:
        return complaints(value, SCHEMA["$defs"][form["$ref"].rpartition("/")[2]])
    if "anyOf" in form:
        results = [complaints(value, one) for one in form["anyOf"]]
        return [] if any(not result for result in results) else results[0]
    kinds: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int}
    if not isinstance(value, kinds[form["type"]]) or isinstance(value, bool):
        return [f"{value!r} is no {form['type']}"]
    found: list[str] = []
    if isinstance(value, dict):
        found += [f"{name} is missing" for name in form.get("required", ()) if name not in value]
        for name, inner in value.items():
            part = form.get("properties", {}).get(name, form["additionalProperties"])
            found += [f"{name} is unknown"] if part is False else complaints(inner, part)
    elif isinstance(value, list):
        found += ["too few"] if len(value) < form.get("minItems", 0) else []
        found += [words for item in value for words in complaints(item, form["items"])]
    elif isinstance(value, str):
        found += [] if re.search(form.get("pattern", ""), value) else [f"{value!r} is no match"]
    elif not form.get("minimum", value) <= value <= form.get("maximum", value):
        found.append(f"{value} is out of bounds")
    return found


def test_what_is_shipped_is_current() -> None:
    assert shipped_schema() == render_schema(), "run: python -m gitbaton.plans.schema"


def test_every_key_is_explained() -> None:
    for name, model in (("Header", Header), ("Phase", Phase)):
        fields = SCHEMA["$defs"][name]["properties"]
        assert set(fields) == set(model.__struct_fields__)
        assert all(form["description"].endswith(".") for form in fields.values())
    assert '"null"' not in shipped_schema(), "TOML has no null"


def test_the_example_fits() -> None:
    assert complaints(tomllib.loads(example_plan("x")), SCHEMA) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('title = ""', "'' is no match"),
        ("extra = 1", "extra is unknown"),
        ('id = "A"', "'A' is no match"),
        ("priority = 10", "10 is out of bounds"),
        ("priority = true", "True is no integer"),
        ("max_attempts = 0", "0 is out of bounds"),
        ('timeout = "soon"', "'soon' is no match"),
        ('requires = ["GPU"]', "'GPU' is no match"),
        ('needs = ["a b"]', "'a b' is no match"),
        ("deliverable = 1", "1 is no string"),
    ],
)
def test_mistakes_that_an_editor_can_show(line: str, words: str) -> None:
    name = line.partition(" ")[0]
    base = {"id": "a", "title": "T", "deliverable": "d"}
    document = {"plan": {"name": "p"}, "phase": [{**base, **tomllib.loads(line)}]}
    assert complaints(document, SCHEMA) == [words], name


def test_what_must_be_there() -> None:
    assert complaints({}, SCHEMA) == ["plan is missing", "phase is missing"]
    assert complaints({"plan": {"name": "a.b"}, "phase": []}, SCHEMA) == [
        "'a.b' is no match",
        "too few",
    ]


@pytest.mark.parametrize(("text", "good"), [("90s", True), ("1.5h", True), ("1 h", False)])
def test_durations(text: str, good: bool) -> None:
    assert bool(re.search(DURATION, text)) is good
