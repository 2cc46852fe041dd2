"""``python -m tests.worldchecker REPO``: print what breaks a promise; exit 1 if anything does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.worldchecker.check import check_world


def main(args: list[str] | None = None) -> int:
    """Check one world; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.worldchecker", description=__doc__)
    parser.add_argument("repo", type=Path, help="a bare repository: the remote of the run")
    parser.add_argument("--branch", default="world")
    parser.add_argument("--ledger", type=Path, metavar="DIR", help="where the streams kept theirs")
    given = parser.parse_args(args)
    findings = check_world(given.repo, given.ledger, branch=given.branch)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
