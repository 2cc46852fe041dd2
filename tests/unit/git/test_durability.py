"""core.fsync as git reads it."""

from __future__ import annotations

import pytest

from gitbaton.git.durability import Durability, read_durability


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (None, Durability()),
        ("none", Durability()),
        ("loose-object", Durability(objects=True)),
        ("objects", Durability(objects=True)),
        ("reference", Durability(refs=True)),
        ("committed", Durability(objects=True, refs=True)),
        ("added, pack-metadata", Durability(objects=True, refs=True)),
        ("all", Durability(objects=True, refs=True)),
        ("-reference,index", Durability()),
        ("future-word", Durability()),
    ],
)
def test_reading(setting: str | None, wanted: Durability) -> None:
    assert read_durability({} if setting is None else {"core.fsync": setting}) == wanted


def test_the_stricter_of_the_older_name_and_the_newer_counts() -> None:
    assert read_durability({"core.fsyncobjectfiles": "true"}) == Durability(objects=True)
    both = {"core.fsyncobjectfiles": "true", "core.fsync": "reference"}
    assert read_durability(both) == Durability(objects=True, refs=True)
    assert read_durability({"core.fsyncobjectfiles": "false"}) == Durability()
