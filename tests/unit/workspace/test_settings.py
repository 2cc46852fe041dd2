"""How a clone is set up: the choice and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.config import StoreSection
from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.workspace.settings import (
    choose_remote,
    make_settings,
    read_settings,
    write_settings,
)


@pytest.mark.parametrize(
    ("remotes", "wanted", "chosen"),
    [
        ([], None, None),
        (["origin"], None, "origin"),
        (["a", "origin"], None, "origin"),
        (["upstream"], None, "upstream"),
        (["a", "origin"], "a", "a"),
    ],
)
def test_the_remote_is_origin_or_the_only_one(
    remotes: list[str], wanted: str | None, chosen: str | None
) -> None:
    assert choose_remote(remotes, wanted=wanted) == chosen


def test_a_choice_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InvalidInput, match="several remotes"):
        choose_remote(["a", "b"])
    with pytest.raises(InvalidInput, match="no remote 'c'"):
        choose_remote(["a", "b"], wanted="c")


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none") is None
    settings = make_settings(remote="origin", target="trunk", store=StoreSection(live_window=9))
    write_settings(tmp_path / "state", settings)
    assert read_settings(tmp_path / "state") == settings
    assert (settings.engine, settings.live_window) == ("git", 9)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["settings.json"]


@pytest.mark.parametrize("text", [b"", b"{}", b'{"engine": "carrier pigeon"}', b"\xff"])
def test_damaged_settings_say_where_they_are(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "settings.json").write_bytes(text)
    with pytest.raises(BatonError, match=r"settings\.json cannot be read"):
        read_settings(tmp_path)
