"""The page: the history of the town's frames, told by one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .happenings import happening_of
from .history import Frame, NoWorld, find_branch, read_frames
from .places import HOURS, PLACES, ROADS

_ASSETS: Final = Path(__file__).parent / "page"
_SCRIPTS: Final = ("map.js", "past.js", "people.js", "panels.js", "charts.js", "main.js")
_DOCUMENTS: Final = (
    "frame.json",
    "frame-report.json",
    "town.json",
    "people.json",
    "positions.json",
    "purses.json",
    "mood.json",
    "votes.json",
    "forum.json",
)
_LONG: Final = 90
"""Characters of a value in a conflict that are shown."""


def write_page(repo: Path, branch: str | None, out: Path, *, last: int = 400) -> int:
    """Write the page of the last frames to ``out`` and return how many they are."""
    found = find_branch(repo, branch)
    frames = list(read_frames(repo, found, _DOCUMENTS, last=last))
    if not frames or "people.json" not in frames[-1].documents:
        raise NoWorld(f"{found} is no town; next: python town.py seed DIRECTORY")
    history = tell(frames) | {"branch": found}
    # A text in the history may hold what would end the script element.
    data = json.dumps(history, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    script = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    page = (_ASSETS / "index.html").read_text(encoding="utf-8")
    page = page.replace("/*STYLE*/", (_ASSETS / "style.css").read_text(encoding="utf-8"))
    page = page.replace("/*SCRIPT*/", script).replace("/*HISTORY*/", data)
    out.write_text(page, encoding="utf-8")
    return len(frames)


def tell(frames: Sequence[Frame]) -> dict[str, Any]:
    """Return the history as the page wants it: what never changes, and what each frame changed."""
    end = frames[-1].documents
    replies = end["forum.json"]["replies"]
    return {
        "commit": frames[-1].commit,
        "hours": HOURS,
        "places": {name: place._asdict() for name, place in PLACES.items()},
        "roads": ROADS,
        "people": {
            who: {part: person[part] for part in ("name", "trade", "work", "home")}
            for who, person in end["people.json"].items()
        },
        "threads": [
            thread | {"replies": replies.get(thread["id"], [])}
            for thread in end["forum.json"]["threads"]
        ],
        "frames": list(_tell_frames(frames)),
    }


def _tell_frames(frames: Sequence[Frame]) -> Iterator[dict[str, Any]]:
    where: dict[str, Any] = {}
    gold: dict[str, Any] = {}
    mood: dict[str, Any] = {}
    votes: dict[str, Any] = {}
    for frame in frames:
        documents = frame.documents
        record, town = documents["frame.json"], documents["town.json"]
        happening = happening_of(town["seed"], record["number"])
        now = {who: place for who, place in documents["positions.json"].items() if place in PLACES}
        counts = {thread: len(by) for thread, by in documents["votes.json"].items()}
        report = documents.get("frame-report.json", record)
        yield {
            "n": record["number"],
            "where": _changes(where, now),
            "gold": _changes(gold, documents["purses.json"]),
            "mood": _changes(mood, documents["mood.json"]),
            "votes": _changes(votes, counts),
            "banner": town["banner"],
            "news": happening.headline if happening else None,
            "ops": record["counts"]["ops"],
            "workers": len(record["merged"]),
            "conflicts": [_tell_conflict(each) for each in report["conflicts"]],
        }
        where, gold, mood, votes = now, documents["purses.json"], documents["mood.json"], counts


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is other than before; None says that it is gone."""
    changed = {key: value for key, value in now.items() if before.get(key) != value}
    return changed | dict.fromkeys(before.keys() - now.keys())


def _tell_conflict(conflict: Mapping[str, Any]) -> dict[str, Any]:
    sides = [
        {
            "by": claim.get("agent"),
            "from": f"{claim['worker']}, stream {claim['stream']}",
            "value": _short(claim),
            "won": claim["won"],
        }
        for claim in conflict["claims"]
    ]
    found = f"before: {_words(conflict['found'])}" if "found" in conflict else ""
    return {
        "where": conflict["doc"] + conflict["path"],
        "rule": f"{conflict['kind']}, {conflict['rule']}",
        "note": found,
        "sides": sides,
    }


def _short(claim: Mapping[str, Any]) -> str:
    return f"{claim['op']} {_words(claim['value'])}" if "value" in claim else str(claim["op"])


def _words(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
