"""The stage of the tour: an empty remote, four clones, and the town that is played in them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitbaton.cli.demo.stage import DESK, MACHINES, Stage, TourFailed

_PACE: Final = "0.01"  # seconds that a resident thinks
_GITCONFIG: Final = """\
[init]
\tdefaultBranch = main
[protocol "file"]
\tallow = always
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


class TownStage(Stage):
    """The directory ``root`` and everything in it. ``town``: where the example lies."""

    def __init__(self, root: Path, env: Mapping[str, str], town: Path) -> None:
        super().__init__(root, env)
        self.town = town

    def build(self) -> None:
        """Make the remote and the clones. A README is all there is yet."""
        for name in ("logs", "homes"):
            (self.root / name).mkdir()
        (self.root / "gitconfig").write_text(_GITCONFIG, encoding="utf-8")
        self.git(self.root, "init", "-q", "--bare", "--template=", "-b", "main", str(self.hub))
        for name in (DESK, *MACHINES):
            place = self.place(name)
            (self.root / "homes" / name).mkdir()
            self.git(self.root, "clone", "-q", "--template=", str(self.hub), str(place))
            self.git(place, "config", "user.name", name)
            self.git(place, "config", "user.email", f"{name.lower()}@demo.invalid")
            if name == DESK:
                self._begin(place)

    def _begin(self, place: Path) -> None:
        self.git(place, "checkout", "-q", "-B", "main")
        (place / "README.md").write_text("# Lantern Bay\n", encoding="utf-8")
        self.git(place, "add", "README.md")
        self.git(place, "commit", "-q", "-m", "Begin")
        self.git(place, "push", "-q", "-u", "origin", "main")

    def play_town(self, *words: str) -> str:
        """Run ``python town.py *words`` and return what it printed."""
        return self.python(self.root, str(self.town / "town.py"), *words).strip()

    @property
    def stream(self) -> str:
        """The command of a stream, for ``baton frame work --cmd``."""
        words = [sys.executable, "-B", str(self.town / "town.py"), "stream", "--pace", _PACE]
        return shlex.join(words)


def find_town() -> Path:
    """Return where the example town lies: in the wheel, or beside the source it runs from.

    Raises TourFailed.
    """
    package = Path(__file__).resolve().parents[3]
    for place in (package / "examples" / "town", package.parents[1] / "examples" / "town"):
        if (place / "town.py").is_file():
            return place
    raise TourFailed("the example town is not installed", next="pip install --force gitbaton")
