"""``python -m tests.checker REPO``: print what breaks an invariant; exit 1 if anything does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.checker.check import check
from tests.checker.landings import Report


def main(args: list[str] | None = None) -> int:
    """Check one repository; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    parser.add_argument("repo", type=Path, help="a bare repository: the remote of the run")
    parser.add_argument("--namespace", default="refs/baton/")
    parser.add_argument("--board", default="refs/heads/baton")
    parser.add_argument("--target", default="main")
    parser.add_argument("--quiescent", action="store_true", help="the run is over, all is tidied")
    parser.add_argument("--unfinished", nargs="*", default=[], metavar="TASK")
    parser.add_argument(
        "--one-clock", action="store_true", help="all on one machine: compare times"
    )
    parser.add_argument(
        "--commits",
        type=Path,
        metavar="FILE",
        help="lines: commit that an agent made [task epoch [subject]]",
    )
    given = parser.parse_args(args)
    findings = check(
        given.repo,
        namespace=given.namespace,
        board=given.board,
        target=given.target,
        quiescent=given.quiescent,
        unfinished=given.unfinished,
        reported=_reports(given.commits),
        one_clock=given.one_clock,
    )
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def _reports(file: Path | None) -> list[Report]:
    lines = file.read_text().splitlines() if file is not None else []
    return [_report(*line.split(maxsplit=3)) for line in lines if line.strip()]


def _report(
    commit: str, task: str | None = None, epoch: str | None = None, subject: str | None = None
) -> Report:
    return Report(commit, task, None if epoch is None else int(epoch), subject)


if __name__ == "__main__":
    sys.exit(main())
