"""The local engines are light: every command opens the clone's private state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
before = set(sys.modules)
import gitbaton.store.sqlite, gitbaton.store.memory
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(" ".join(sorted(loaded - sys.stdlib_module_names)))
print(" ".join(sorted(loaded & {"asyncio", "email", "http", "json", "multiprocessing"})))
"""


def test_sqlite_and_msgspec_are_all_it_takes() -> None:
    asked = subprocess.run(
        [sys.executable, "-S", "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        cwd=Path(__file__).parents[3],
    )
    foreign, heavy = asked.stdout.splitlines()
    # msgspec itself takes typing_extensions where it happens to be installed.
    assert set(foreign.split()) - {"typing_extensions"} == {"gitbaton", "msgspec"}
    assert heavy == ""
