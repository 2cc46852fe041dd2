"""How often a process of a world looks at the remote (pure)."""

from __future__ import annotations

import random
from typing import Final

_SHARE: Final = 0.05  # of the time that the frame has lasted: a frame of a minute ends 3 s late
_NEAR: Final = 0.1  # of that, when the frame is about to end
_SOON: Final = 0.15
_LATE: Final = 3.0
_JITTER: Final = 0.25


def pause(
    elapsed: float, *, lease: float, rng: random.Random, missing: float = 1.0, leads: bool = False
) -> float:
    """Return for how many seconds to wait before the next look.

    It grows with how long the frame has lasted already (``elapsed``), so that short frames are
    noticed at once and long ones cost few listings. Near its end a frame is looked at more often:
    by all when no delta is ``missing`` (a share of those awaited), since the next frame is about
    to come; by the one that ``leads`` the sooner, the fewer are missing. A token must be renewed
    three times a ``lease``, so it is never longer than a sixth of it. Jitter keeps a fleet from
    looking in step.
    """
    calm = min(elapsed * _SHARE, _LATE)
    if leads:
        calm *= missing**2
    elif not missing:
        calm *= _NEAR
    wanted = min(max(calm, _SOON), max(lease / 6, 0.05))
    return wanted * rng.uniform(1 - _JITTER, 1 + _JITTER)


def retry(failures: int, *, rng: random.Random) -> float:
    """Return for how many seconds to wait after so many failures in a row (from 1)."""
    return min(0.5 * 2.0 ** min(failures - 1, 6), 15.0) * rng.uniform(0.5, 1.0)
