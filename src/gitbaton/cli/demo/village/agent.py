"""The scripted agent: reads its prompt like any other, and writes what it asks for.

It stands for a coding agent that takes longer and costs more. Started by ``baton work`` in a
worktree of its own, it edits files there; some it commits, the rest it leaves to the worker.

``DEMO_STAGE`` is the tour's directory. What the agent writes or commits is noted in ``ledger/``
there, so that nothing can be lost unseen. A task that is named in ``hesitate/`` is only half
written, and then nothing happens until the agent is killed or the note is removed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120.0  # seconds that a hesitating agent waits before it goes on by itself


def main() -> None:
    """Do the task in the prompt."""
    task, epoch = os.environ["BATON_TASK"], os.environ["BATON_EPOCH"]
    prompt = Path(os.environ["BATON_PROMPT_FILE"]).read_text(encoding="utf-8")
    wish = dict(re.findall(r"^(File|Title|Text|From|Go|Run): (.+)$", prompt, re.MULTILINE))
    file = Path(wish["File"])
    file.parent.mkdir(exist_ok=True)
    if "Run" in wish:
        words = [sys.executable, "-B", *wish["Run"].split()]
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    else:
        text = room(wish)
    hesitate(task, epoch, file, text)
    file.write_text(text, encoding="utf-8")
    print(f"wrote {file}")
    if len(task) % 2:  # half of the agents commit, the others leave it to the worker
        commit(task, epoch, file, f"Write {task}, attempt {epoch}")
    else:
        note(task, epoch, file)


def room(wish: dict[str, str]) -> str:
    """Return the room that ``wish`` asks for, as JSON."""
    names = {"title": "Title", "text": "Text", "from": "From", "go": "Go"}
    found = {name: wish[key] for name, key in names.items() if key in wish}
    return json.dumps(found, indent=2) + "\n"


def hesitate(task: str, epoch: str, file: Path, text: str) -> None:
    """Where the tour wants it, write half of ``text`` and wait to be killed."""
    order = stage() / "hesitate" / task
    if not order.exists():
        return
    file.write_text(text[: len(text) // 2], encoding="utf-8")
    noted = note(task, epoch, file)
    told = {"agent": os.environ["BATON_AGENT"], "token": os.environ["BATON_TOKEN"], "epoch": epoch}
    draft = order.with_suffix(".draft")
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(order.with_suffix(".begun"))
    print("thinking …", flush=True)
    deadline = time.monotonic() + PATIENCE
    while order.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    noted.unlink()  # the whole text takes its place


def commit(task: str, epoch: str, file: Path, subject: str) -> None:
    """Commit ``file``, and note the commit."""
    git("add", "--", str(file))
    git("commit", "-q", "-m", subject)
    note(task, epoch, file, commit=git("rev-parse", "HEAD"))


def note(task: str, epoch: str, file: Path, **more: str) -> Path:
    """Write down what exists now and must never be lost; return where."""
    entry = {
        "task": task,
        "epoch": int(epoch),
        "path": file.as_posix(),
        "blob": git("hash-object", "--", str(file)),
        **more,
    }
    place = stage() / "ledger" / f"{task}-{epoch}-{time.monotonic_ns()}.json"
    draft = place.with_suffix(".draft")
    draft.write_text(json.dumps(entry), encoding="utf-8")
    draft.replace(place)
    return place


def git(*words: str) -> str:
    """Run git in the worktree and return what it printed."""
    done = subprocess.run(["git", *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def stage() -> Path:
    """Return the tour's directory."""
    return Path(os.environ["DEMO_STAGE"])


if __name__ == "__main__":
    main()
