"""What a command imports and starts: one that only reads does not pay for what changes things."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import Baton

DUMP = """
import json, subprocess, sys
started = []
class Counted(subprocess.Popen):
    def __init__(self, args, *rest, **options):
        started.append(list(map(str, args)))
        super().__init__(args, *rest, **options)
subprocess.Popen = Counted
from gitbaton.cli.main import main
try:
    main()
finally:
    print(json.dumps({"modules": sorted(sys.modules), "started": started}), file=sys.stderr)
"""

UNUSED = (
    "gitbaton.git.fast.http",
    "gitbaton.hooks",
    "gitbaton.plans",
    "gitbaton.store.gitengine.committing",
    "gitbaton.store.gitengine.history",
    "gitbaton.store.gitengine.planner",
    "gitbaton.store.gitengine.upkeep",
    "gitbaton.tasks.adding",
    "gitbaton.tasks.claiming",
    "gitbaton.tasks.drafts",
    "gitbaton.tasks.holding",
    "gitbaton.tasks.page",
    "gitbaton.tasks.reaping",
    "gitbaton.tasks.steering",
    "gitbaton.work",
    "gitbaton.workshop",
    "asyncio",
    "filelock",
    "http.client",
    "logging",
    "packaging",
    "psutil",
    "rich",
    "ssl",
    "stamina",
    "tenacity",
)

UNUSED_BY_COMMIT = (
    "gitbaton.app",
    "gitbaton.frames",
    "gitbaton.git.fast",
    "gitbaton.git.worktrees",
    "gitbaton.hooks",
    "gitbaton.plans",
    "gitbaton.store",
    "gitbaton.tasks",
    "gitbaton.work",
    "gitbaton.workspace.integration",
    "gitbaton.workspace.sessions",
    "gitbaton.workspace.snapshot.changes",
    "gitbaton.workspace.snapshot.occupancy",
    "gitbaton.workspace.snapshot.passage",
    "asyncio",
    "concurrent",
    "dataclasses",  # each costs 0.7 ms to make, a struct 0.02; there would be forty
    "filelock",
    "http.client",
    "logging",
    "lzma",
    "packaging",
    "psutil",
    "random",
    "rich",
    "secrets",
    "shutil",
    "sqlite3",
    "ssl",
    "stamina",
    "tempfile",
    "tomllib",
    "traceback",
)


def watch(baton: Baton, *words: str) -> dict[str, list[str]]:
    """Run ``baton *words``; return the modules it imported and the processes it started."""
    done = subprocess.run(
        [sys.executable, "-c", DUMP, *words],
        cwd=baton.directory,
        env=baton.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )
    told: dict[str, list[str]] = json.loads(done.stderr.splitlines()[-1])
    return told


@pytest.mark.parametrize("verb", ["ready", "list"])
def test_reading_imports_nothing_that_it_does_not_use(
    clones: Callable[[str], Baton], verb: str
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    one.ok(verb)  # now the cache is warm
    told = watch(one, verb, "--json")
    assert "gitbaton.tasks.queue" in told["modules"], "it was really run"
    assert [name for name in UNUSED if name in told["modules"]] == []


def test_a_commit_without_hooks_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    baton = Baton(tmp_path)
    baton.git("init", "-q")
    (tmp_path / "a.txt").write_text("new\n")
    told = watch(baton, "commit", "a.txt", "-m", "x", "--json")
    assert "gitbaton.workspace.safecommit.moving" in told["modules"], "it was really run"
    assert [name for name in UNUSED_BY_COMMIT if name in told["modules"]] == []


def test_reading_starts_few_processes(clones: Callable[[str], Baton]) -> None:
    """On a warm cache: where are we, what is configured, one listing, one reader of objects."""
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    one.ok("ready")
    started = watch(one, "ready", "--json")["started"]
    assert len(started) <= 10, started
