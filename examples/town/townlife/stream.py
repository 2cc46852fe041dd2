"""The stream: what ``baton frame work`` starts for some of the residents, once a frame.

It is told everything by its environment (``BATON_*``) and answers with JSON lines. Its directory
with the world is read only; what it wants to change, it writes as ops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from .life import live
from .world import World


def run_stream(env: Mapping[str, str], *, pace: float = 0.0) -> int:
    """Write the ops of this stream's residents, and return how many there are.

    ``pace``: seconds that each resident takes to think; a language model would take longer.
    """
    world, frame = World(Path(env["BATON_WORLD"])), int(env["BATON_FRAME"])
    agents = json.loads(Path(env["BATON_AGENTS"]).read_text(encoding="utf-8"))
    count = 0
    with Path(env["BATON_OPS"]).open("a", encoding="utf-8") as file:
        for who in agents:
            if who not in world.people:
                continue
            time.sleep(pace)
            for op in live(world, frame, who):
                file.write(json.dumps(op | {"agent": who}, ensure_ascii=False) + "\n")
                count += 1
            file.flush()  # what is written counts, even if this stream is killed now
    return count
