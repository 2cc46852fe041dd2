"""The pages about plan files say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec import Meta
from msgspec.structs import fields

from gitbaton.plans.model import Header, Phase
from gitbaton.plans.problem import Code
from tests.unit.plans.plantext import judge

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("model", [Header, Phase])
def test_every_key_is_in_the_reference(model: type[Header | Phase]) -> None:
    page = (DOCS / "reference" / "plans.md").read_text(encoding="utf-8")
    for info in fields(model):
        [meta] = [part for part in info.type.__metadata__ if isinstance(part, Meta)]
        row = rf"\| `{info.name}` \| [^|]+ \| [^|]+ \| {re.escape(meta.description or '')} \|"
        assert re.search(row, page), info.name


def test_every_code_is_in_the_reference_and_no_other() -> None:
    page = (DOCS / "reference" / "plans.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z-]+)` \| (?:error|warning|note) \|", page, re.MULTILINE))
    assert listed == set(get_args(Code))


def test_the_plan_of_the_how_to_is_one() -> None:
    page = (DOCS / "how-to" / "write-a-plan.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert judge(example).problems == []
