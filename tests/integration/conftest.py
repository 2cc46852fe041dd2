"""Long runs are for ``make soak`` only: elsewhere they are not even selected."""

from __future__ import annotations

import os

import pytest

_SOAKING = os.environ.get("BATON_SOAK") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests marked ``soak`` unless BATON_SOAK=1."""
    if _SOAKING:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]
