"""``python -m benchmarks``: measure. ``python -m benchmarks report``: write tables and plots."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks import document, scale
from benchmarks.lab.daemons import ROOT
from benchmarks.lab.links import LINKS
from benchmarks.report import tables
from benchmarks.run import PARTS, run

RESULTS = ROOT / "benchmarks" / "results"
TRIALS = ROOT / "build" / "benchmarks"  # parts, and runs of smaller scales: nobody keeps them


def main(args: list[str] | None = None) -> int:
    """Do what is asked; exit status 1 when something could not be measured."""
    words = sys.argv[1:] if args is None else args
    return _report(words[1:]) if words[:1] == ["report"] else _measure(words)


def _measure(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers: about a minute")
    parser.add_argument("--scale", choices=scale.SCALES, help="how much is measured")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[], metavar="PART")
    names = [link.name for link in LINKS]
    parser.add_argument("--link", nargs="+", choices=names, default=[], metavar="LINK")
    parser.add_argument("--name", help="name of the results; the default is the date")
    parser.add_argument("--output", type=Path, help="the file to write instead")
    given = parser.parse_args(words)
    chosen = scale.SCALES[given.scale or ("quick" if given.quick else "full")]
    signal.signal(signal.SIGTERM, _leave)
    results = run(chosen, only=given.only, links=given.link)
    is_whole = chosen is scale.FULL and not given.only and not given.link
    name = given.name or datetime.now(UTC).date().isoformat()
    path = given.output or (RESULTS if is_whole else TRIALS) / f"{name}.json"
    document.write(results, path)
    sys.stderr.write(f"results: {path}\n")
    print(tables.render(results))
    return 1 if results.failed else 0


def _report(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks report")
    parser.add_argument("results", nargs="?", type=Path, help="the default is the newest")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    given = parser.parse_args(words)
    source = given.results or _newest()
    if source is None:
        sys.stderr.write("there are no results yet: python -m benchmarks\n")
        return 1
    from benchmarks.report import page

    shown = source.resolve()
    shown = shown.relative_to(ROOT) if shown.is_relative_to(ROOT) else shown
    for path in page.update(document.read(source), given.docs, source=str(shown)):
        sys.stderr.write(f"written: {path}\n")
    return 0


def _newest() -> Path | None:
    found = sorted(RESULTS.glob("*.json"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _leave(number: int, frame: FrameType | None) -> None:
    """Leave as on ^C, so that everything is torn down."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
