"""Where keys and list items stand."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from gitbaton.plans.positions import find_places
from gitbaton.plans.problem import Path

DOCUMENT = r'''# 1
title = "a # no comment" # 2
"quoted \u0041.key" = 1
dotted . name.'x y' = 2

[plan] # 6
text = """
[[phase]]
no = "key" \""" still
"""""
raw = \'\'\'
x = [1
\'\'\'
list = [ # 13
  "a]", # 14

  [1, 2, # 16
   3],
  { a = 1, b = [ # 18
     "}" ] }, ]
when = 1979-05-27 07:32:00 # 20
[[phase]]
id = "one"
[[phase]]
id = "two"
needs = ["a", "b",
"c"]
[phase.more]
x = 1
[[phase.inner]]
y = 1
[[phase.inner]]
y = 2
'''.replace("\\'", "'")


def every_path(value: Any, path: Path = ()) -> list[Path]:
    """Return the paths of all keys and list items in ``value``."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [
        found for key, inner in items for found in [(*path, key), *every_path(inner, (*path, key))]
    ]


def test_the_line_of_everything() -> None:
    places = find_places(DOCUMENT)
    assert set(places.lines) == set(every_path(tomllib.loads(DOCUMENT)))
    expected: dict[Path, int] = {
        ("title",): 2,
        ("quoted A.key",): 3,
        ("dotted", "name", "x y"): 4,
        ("plan",): 6,
        ("plan", "text"): 7,
        ("plan", "raw"): 11,
        ("plan", "list"): 14,
        ("plan", "list", 0): 15,
        ("plan", "list", 1): 17,
        ("plan", "list", 1, 2): 18,
        ("plan", "list", 2, "b"): 19,
        ("plan", "list", 2, "b", 0): 20,
        ("plan", "when"): 21,
        ("phase",): 22,
        ("phase", 0): 22,
        ("phase", 0, "id"): 23,
        ("phase", 1): 24,
        ("phase", 1, "needs", 2): 27,
        ("phase", 1, "more"): 28,
        ("phase", 1, "inner", 0): 30,
        ("phase", 1, "inner", 1, "y"): 33,
    }
    assert {path: places.lines[path] for path in expected} == expected


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    places = find_places(DOCUMENT)
    assert places.line(("phase", 1, "title")) == 24
    assert places.line(("plan", "list", 9, "x")) == 14
    assert places.line(("nothing",)) == 1


def test_phases_in_one_list() -> None:
    places = find_places('phase = [\n  {id = "a"},\n  {id = "b", needs = ["a"]},\n]\n')
    assert places.line(("phase", 1, "needs", 0)) == 3


@pytest.mark.parametrize("text", ["", "\n\n", "# only words", "a = 1", "a=[]", "a={}", "[a]"])
def test_small_documents(text: str) -> None:
    assert set(find_places(text).lines) == set(every_path(tomllib.loads(text)))
