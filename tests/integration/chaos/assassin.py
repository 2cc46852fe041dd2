"""A server whose receive-pack is killed at chosen moments of chosen pushes.

A git host runs receive-pack for each push. Its hooks run as its children, so a hook can kill it:
before anything is written (``pre-receive``), with the refs locked (``prepared``), with them moved
and nothing answered (``committed``), or a few milliseconds after one of these, anywhere between.
"""

from __future__ import annotations

import random
import secrets
from pathlib import Path

from tests.servers.site import BareRepository

MOMENTS = ("pre-receive", "prepared", "committed", "post-receive")
REFS = (".", "refs/heads/main", "refs/heads/baton", "/tasks/", "/locks/", "/rescue/")

# A bullet is a file that names refs and a delay; whoever renames it may fire it.
_HOOK = """\
case "$0" in *reference-transaction) moment=$1 ;; *) moment=${{0##*/}} ;; esac
set -- '{place}/'"$moment".*
[ -e "$1" ] || exit 0
refs=$(cat)
for bullet; do
  {{ read -r pattern delay < "$bullet"; }} 2> /dev/null || continue
  echo "$refs" | grep -q "$pattern" || continue
  mv "$bullet" '{place}/spent.'"${{bullet##*/}}" 2> /dev/null || continue
  if [ "$delay" = 0 ]; then kill -9 $PPID; exit 1; fi
  (sleep "$delay"; kill -9 $PPID) < /dev/null > /dev/null 2>&1 &
done
exit 0
"""


class Assassin:
    """Lies in wait at one remote."""

    def __init__(self, remote: BareRepository) -> None:
        self._place = remote.path / "bullets"
        self._place.mkdir()
        for hook in ("pre-receive", "post-receive", "reference-transaction"):
            remote.hook(hook, _HOOK.format(place=self._place))

    def load(self, moment: str, refs: str, *, delay: float = 0.0) -> None:
        """Kill one receive-pack, ``delay`` seconds after ``moment`` of a push of such refs."""
        name = f"{moment}.{secrets.token_hex(4)}"
        aside = self._place / f"loading.{name}"
        aside.write_text(f"{refs} {delay:g}\n")
        aside.replace(self._place / name)

    def load_at_random(self, rng: random.Random) -> str:
        """Load something that ``rng`` chooses, and return it in words."""
        moment, refs = rng.choice(MOMENTS), rng.choice(REFS)
        delay = rng.choice([0.0, rng.uniform(0.001, 0.02)])
        self.load(moment, refs, delay=delay)
        return f"receive-pack {delay * 1000:.0f} ms after {moment} of {refs}"

    def unload(self) -> None:
        """Take away what was not fired."""
        for bullet in self._place.iterdir():
            if not bullet.name.startswith("spent."):
                bullet.unlink(missing_ok=True)

    @property
    def fired(self) -> int:
        """How many were fired."""
        return len(list(self._place.glob("spent.*")))


def stale_locks(remote: Path) -> list[Path]:
    """Return the lock files of refs, whoever holds them."""
    return [*remote.glob("refs/**/*.lock"), *remote.glob("*.lock")]
