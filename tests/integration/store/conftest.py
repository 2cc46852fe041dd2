"""Fixtures for tests of the git engine on real remotes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .place import Place, make_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fresh remote; what is opened on it is closed after the test."""
    made = make_place(tmp_path)
    yield made
    made.close()
