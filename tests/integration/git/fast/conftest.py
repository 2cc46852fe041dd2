"""Fixtures of the fast transport's own tests: a desk that uses nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.git.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A client with a coordination repository of its own, on the fast transport."""
    made = Desk(tmp_path / "desk.git", "fast")
    yield made
    made.close()
