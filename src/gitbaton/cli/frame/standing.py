"""What ``frame status`` shows: the frame, the primary, the workers, and what is waited for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from gitbaton.cli.frame.recording import count_words, failure_lines, record_document
from gitbaton.cli.output import Cell, Output
from gitbaton.cli.taskview import since
from gitbaton.frames.standing import Member, Standing
from gitbaton.frames.tokens import Token

_FAILURES: Final = 5  # streams


def standing_document(standing: Standing) -> dict[str, Any]:
    """Return what ``frame status --json`` prints."""
    scene = standing.scene
    return {
        "frame": scene.number,
        "commit": scene.commit,
        "agents": len(scene.agents),
        "fault": scene.fault,
        "primary": _token_document(standing.primary),
        "workers": [
            {
                "name": member.name,
                "agents": member.agents,
                "streams": scene.frame.roster.get(member.name, 0),
                "delivered": member.delivered,
                "presence": _token_document(member.token),
            }
            for member in standing.members
        ],
        "late": [{"frame": frame, "worker": worker} for frame, worker in standing.late],
        "record": record_document(scene.frame),
        "world": msgspec.to_builtins(scene.config),
    }


def print_standing(out: Output, standing: Standing, now: datetime, *, world: str) -> None:
    """Print how the world stands, for people. ``world``: the option that names it, or nothing."""
    scene, frame = standing.scene, standing.scene.frame
    agents = "1 agent" if len(scene.agents) == 1 else f"{len(scene.agents)} agents"
    out.say(f"frame {frame.number}, {agents} ({scene.commit[:10]})")
    if scene.fault is not None:
        out.say(f"  nobody can run: {scene.fault}")
    if frame.number:
        out.say(f"  made of {count_words(frame)}")
    failures = list(failure_lines(frame))
    for line in failures[:_FAILURES]:
        out.say(f"  {line}")
    if len(failures) > _FAILURES:
        out.say(f"  and more; next: baton frame show {frame.number}{world}")
    if standing.primary is None:
        out.say("  nobody is primary: the frame stays until a worker or primary starts")
    else:
        token = standing.primary
        out.say(f"  primary: {token.name} on {token.machine}, renewed {since(token.at, now)} ago")
    if standing.late:
        pairs = ", ".join(f"{worker} (frame {number})" for number, worker in standing.late)
        out.say(f"  late, for the next frame: {pairs}")
    if not standing.members:
        out.hint(f"  next: baton frame work --cmd CMD{world}")
        return
    rows = [_row(member, standing, now) for member in standing.members]
    out.table(["worker", "agents", "streams", "this frame", "seen"], rows)


def _row(member: Member, standing: Standing, now: datetime) -> list[Cell]:
    streams = standing.scene.frame.roster.get(member.name)
    doing: Cell
    if member.delivered:
        doing = ("delivered", "green")
    elif streams is None:
        doing = ("not in this frame", "dim")
    elif member.token is None:
        doing = ("left" if standing.primary is None else "gone", "red")
    else:
        doing = ("at work", "cyan") if member.agents else "no agents"
    token = member.token
    seen = "-" if token is None else f"{since(token.at, now)} ago, on {token.machine}"
    return [member.name, str(member.agents), str(streams or "-"), doing, seen]


def _token_document(token: Token | None) -> dict[str, Any] | None:
    if token is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(token)
    return {name: plain[name] for name in ("name", "machine", "frame", "at", "streams")}
