"""Seeds that differ from run to run, and can be named again.

``BATON_SEED=TEXT`` repeats the storms of the run that printed it.
"""

from __future__ import annotations

import os
import random
import secrets

BASE = os.environ.get("BATON_SEED") or secrets.token_hex(4)
"""Of this run. Read when tests are collected: later the environment is the hermetic one."""

CI = 12  # storms in every run of the tests
SOAK = int(os.environ.get("BATON_SOAK_SEEDS", "300"))  # storms in `make soak`


def generator(number: int) -> random.Random:
    """Return the generator of storm ``number``, and print how to have the same storm again."""
    print(f"to repeat it: BATON_SEED={BASE} (storm {number})")
    return random.Random(f"{BASE}/{number}")
