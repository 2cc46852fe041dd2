"""A shop with a short history, where others have left their things about."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.workspace.hooks.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give a clone with a few files and one commit, all clean."""
    top = tmp_path / "shop"
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    made = Shop(top)
    made.write(
        {"a.py": "a = 1\n", "b.py": "b = 1\n", "lib/c.py": "c = 1\n", ".gitignore": "out/\n"}
    )
    made.save("first")
    return made


@pytest.fixture
def dirty(shop: Shop) -> Shop:
    """Give it with all kinds of dirt: edited, staged, deleted, added, untracked, ignored."""
    shop.write({"b.py": "b = 2  # staged\n", "new.py": "new = 1\n"})
    shop.git("add", "b.py", "new.py")
    shop.write({"b.py": "b = 3  # half written\n", "stray.py": "stray = 1\n", "out/x": "built\n"})
    (shop.top / "lib" / "c.py").unlink()
    return shop
