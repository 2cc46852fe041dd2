"""What ``frame replay`` shows: frames merged again, and whether they came out the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitbaton.cli.output import Output
from gitbaton.frames.history import Replay
from gitbaton.frames.news import counted


def replay_document(replays: Sequence[Replay]) -> dict[str, Any]:
    """Return what ``frame replay --json`` prints."""
    frames = [
        {
            "frame": each.frame,
            "deltas": each.deltas,
            "ops": each.ops,
            "differences": list(each.differences),
        }
        for each in replays
    ]
    return {"frames": frames, "same": all_same(replays)}


def print_replays(out: Output, replays: Sequence[Replay], *, every: bool) -> None:
    """Print each frame; where it is ``every`` one, only those that differ."""
    for each in replays:
        verdict = f"differs in {', '.join(each.differences)}" if each.differences else "the same"
        if each.differences or not every:
            made = f"{counted(each.deltas, 'delta')}, {counted(each.ops, 'op')}"
            out.say(f"frame {each.frame}: {made}: {verdict}")
    if every and all_same(replays):
        out.say(f"all {len(replays)} frames come out the same, byte by byte")


def all_same(replays: Sequence[Replay]) -> bool:
    """Tell whether every frame came out the same."""
    return not any(each.differences for each in replays)
