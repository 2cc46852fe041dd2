"""A scripted agent: writes and commits its phase's file, and writes the commit down outside.

    python -I -S agent.py WORLD

Standard library only, so that it starts at once. In the directory WORLD a phase whose first
attempt shall be cut short has a file ``hold/PHASE``: its agent says on which machine it is
(``up/PHASE``) and goes on when it is let go (``go/PHASE``). Where there is ``fail/PHASE`` the
first attempt fails.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path


def main(place: str) -> None:
    """Do the phase that the environment names."""
    task, epoch, world = os.environ["BATON_TASK"], os.environ["BATON_EPOCH"], Path(place)
    phase = task.partition(".")[2]
    machine = os.environ["GITBATON_TEST_MACHINE"].rpartition("/")[2]
    subject = f"{phase}: by {machine}, {secrets.token_hex(4)}"
    Path(f"{phase}.txt").write_text(f"{subject} in epoch {epoch}\n")
    commit(subject)
    with (world / "reports").open("a") as file:  # one short line: appended whole
        file.write(f"{head()} {task} {epoch} {subject}\n")
    if epoch != "1":
        return
    if (world / "hold" / phase).exists():
        (world / "up" / phase).write_text(machine)
        while not (world / "go" / phase).exists():
            time.sleep(0.05)
    if (world / "fail" / phase).exists():
        sys.exit(f"{phase} does not hold")


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
