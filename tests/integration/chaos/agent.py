"""A scripted agent: works in two commits, writes them down outside, leaves a file uncommitted.

    python -I -S agent.py REPORTS PACE

Standard library only, so that it starts at once. ``PACE``: seconds that a step takes at most.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path


def main(reports: str, pace: str) -> None:
    """Do the task that the environment names."""
    task, epoch = os.environ["BATON_TASK"], os.environ["BATON_EPOCH"]
    for part in ("first", "second"):
        time.sleep(random.uniform(0.0, float(pace)))
        subject = f"{task}: the {part} part, {secrets.token_hex(4)}"
        with Path(f"{task}.txt").open("a") as file:
            file.write(f"{subject} in epoch {epoch}\n")
        commit(subject)
        with Path(reports).open("a") as file:  # one short line: appended whole
            file.write(f"{head()} {task} {epoch} {subject}\n")
    Path(f"{task}-{epoch}.notes").write_text("not committed by the agent\n")


def commit(subject: str) -> None:
    """Commit everything."""
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", "commit", "--quiet", "--message", subject], check=True)


def head() -> str:
    """Return the commit just made."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return asked.stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
