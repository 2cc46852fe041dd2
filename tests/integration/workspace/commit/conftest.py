"""Repositories to commit in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.workspace.commit.house import House, build


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A repository with two commits on ``main``."""
    return build(tmp_path / "house")
