"""Lantern Bay, a small adventure that a fleet of agents wrote.

python3 play.py            play it
python3 play.py --walk     look behind every door
python3 play.py --map      draw the map
python3 play.py --check    check that every room is complete and can be reached
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

Rooms = dict[str, dict[str, str]]

START = "harbour"
ROOMS = Path(__file__).resolve().parent / "rooms"


def load_rooms() -> Rooms:
    """Return every room by its name: ``title``, ``text``, and the way that leads there."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(ROOMS.glob("*.json"))
    }


def find_exits(rooms: Rooms) -> Rooms:
    """Return the exits of every room: word -> room. A way leads back where it came from."""
    exits: Rooms = {name: {} for name in rooms}
    for name, room in rooms.items():
        if "from" in room:
            exits[room["from"]][room["go"]] = name
            exits[name]["back"] = room["from"]
    return exits


def find_faults(rooms: Rooms) -> list[str]:
    """Return what is wrong with the rooms, in words."""
    faults = [
        f"{name}: no {part}"
        for name, room in rooms.items()
        for part in ("title", "text")
        if not room.get(part)
    ]
    faults += [
        f"{name}: hangs at {room['from']}, which is not there"
        for name, room in rooms.items()
        if "from" in room and room["from"] not in rooms
    ]
    if rooms and not faults and len(draw_map(rooms).splitlines()) != len(rooms):
        faults.append(f"some rooms cannot be reached from the {START}")
    return faults


def draw_map(rooms: Rooms, name: str = START, indent: str = "") -> str:
    """Return the rooms as a tree, from ``name`` on."""
    lines = [f"{indent}{rooms[name]['title']}"]
    for word, other in sorted(find_exits(rooms)[name].items()):
        if word != "back":
            lines.append(draw_map(rooms, other, indent + "    "))
    return "\n".join(lines)


def show(rooms: Rooms, name: str) -> None:
    """Print one room and its exits."""
    print(f"\n{rooms[name]['title'].upper()}")
    print(textwrap.fill(rooms[name]["text"], 72))
    print(f"[{', '.join(sorted(find_exits(rooms)[name]))}]")


def walk(rooms: Rooms, name: str = START) -> None:
    """Print every room, in the order of somebody who looks behind every door."""
    show(rooms, name)
    for word, other in sorted(find_exits(rooms)[name].items()):
        if word != "back":
            print(f"> {word}")
            walk(rooms, other)


def play(rooms: Rooms) -> None:
    """Let a person walk about until the input ends."""
    here = START
    show(rooms, here)
    for line in sys.stdin:
        word = line.strip().lower()
        if word in ("quit", "exit"):
            return
        here = find_exits(rooms)[here].get(word, here)
        show(rooms, here)


def main(words: list[str]) -> None:
    """Do what the command line says."""
    rooms = load_rooms()
    if "--check" in words:
        sys.exit("\n".join(find_faults(rooms)) or 0)
    elif "--map" in words:
        print(draw_map(rooms))
    elif "--walk" in words:
        walk(rooms)
    else:
        play(rooms)


if __name__ == "__main__":
    main(sys.argv[1:])
