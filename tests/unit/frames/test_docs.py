"""The reference says all that the model has."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from gitbaton.frames.conflict import Kind
from gitbaton.frames.frame import Frame, World
from gitbaton.frames.op import Op
from gitbaton.frames.rules import Use

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "frames.md").read_text(encoding="utf-8")
OPS = [msgspec.inspect.type_info(kind) for kind in get_args(Op)]
NAMES = {
    "ops": [str(one.tag) for one in OPS if isinstance(one, msgspec.inspect.StructType)],
    "rules": get_args(Use),
    "conflicts": get_args(Kind),
    "world.json": [name for name in World.__struct_fields__ if name != "format"],
    "frame.json": [name for name in Frame.__struct_fields__ if name != "format"],
}


@pytest.mark.parametrize("what", NAMES)
def test_every_name_is_in_the_reference(what: str) -> None:
    assert NAMES[what]
    assert [name for name in NAMES[what] if f"`{name}`" not in PAGE] == []
