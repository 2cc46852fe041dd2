"""A desk for every test of claims: the user's clone must be the same at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.work.clone_state import unchanged
from tests.integration.work.desk import Desk, make_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A clone in use, with its coordination repository; fails if the clone changes."""
    made = make_desk(tmp_path)
    with unchanged(made.top):
        yield made
    made.repo.close()
