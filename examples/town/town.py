"""Lantern Bay on the command line.

python town.py seed DIRECTORY     write the town's first documents
python town.py stream             live one frame of some residents (baton frame work starts this)
python town.py page -o FILE       make a page of everything that has happened so far
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from townlife.history import NoWorld
from townlife.page import write_page
from townlife.seed import make_world
from townlife.stream import run_stream


def main(words: list[str]) -> None:
    """Do what the command line says."""
    wish = _parser().parse_args(words)
    if wish.what == "seed":
        seed(wish.directory, wish.seed, wish.residents)
    elif wish.what == "stream":
        print(f"{run_stream(os.environ, pace=wish.pace)} ops")
    else:
        try:
            frames = write_page(wish.repo, wish.branch, wish.out)
        except NoWorld as error:
            raise SystemExit(f"town.py: {error}") from error
        print(f"{wish.out}: {frames} frames")


def seed(directory: Path, words: str, residents: int) -> None:
    """Write the documents of frame 0 into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in make_world(words, residents).items():
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        (directory / name).write_text(text + "\n", encoding="utf-8")
    print(f"{directory}: {residents} residents of Lantern Bay")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="town.py", description="Lantern Bay, a small town.")
    verbs = parser.add_subparsers(dest="what", required=True)
    seeding = verbs.add_parser("seed", help="write the town's first documents")
    seeding.add_argument("directory", type=Path)
    seeding.add_argument("--seed", default="lantern", help="another word, another town")
    seeding.add_argument("--residents", type=int, default=100)
    stream = verbs.add_parser("stream", help="live one frame of some residents")
    stream.add_argument("--pace", type=float, default=0.0, help="seconds each one thinks")
    page = verbs.add_parser("page", help="make a page of all frames so far")
    page.add_argument("--repo", type=Path, default=Path(), help="a clone of the world's remote")
    page.add_argument("--branch", help="where the world is; default: world, here or at origin")
    page.add_argument("-o", "--out", type=Path, default=Path("town.html"))
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
