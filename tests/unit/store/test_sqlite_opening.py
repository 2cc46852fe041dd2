"""A new database file, opened by many at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from gitbaton.store.sqlite.schema import STEPS, upgrade


@pytest.mark.parametrize("late", range(8))
def test_a_file_that_others_make_between_two_looks_is_still_ours(late: int, tmp_path: Path) -> None:
    """I4: the first look at a new file sees it without any table or with all, never between.

    From our statement number ``late`` on, another connection makes the tables if it is let.
    """
    path = tmp_path / "new.sqlite"
    statements = 0

    class Overtaken(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            nonlocal statements
            statements += 1
            if statements > late:
                other = sqlite3.connect(path, timeout=0, isolation_level=None)
                with closing(other), suppress(sqlite3.OperationalError):  # locked: it would wait
                    upgrade(other)
            return super().execute(*args)

    with closing(sqlite3.connect(path, isolation_level=None, factory=Overtaken)) as connection:
        upgrade(connection)
        (step,) = connection.execute("PRAGMA user_version").fetchone()
    assert step == len(STEPS)
