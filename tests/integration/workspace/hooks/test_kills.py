"""A commit killed anywhere in the snapshot: the user's tree is as it was, the next one is right."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from gitbaton.git.runner import Git
from tests.integration.workspace.hooks.shop import Shop

_LIST = (
    "find . -path ./.git -prune -o ! -type d -print | sort | tr '\\n' ' '; git status -s; cat a.py"
)
_FILES = b"./.gitignore ./a.py ./b.py ./lib/c.py M  a.py\n"
_FIX = f"{_LIST}; sed -i s/2/3/ a.py; echo x >> b.py; touch junk"


class Killed(BaseException):
    """What stands for a kill: nothing catches it."""


def _prepared(dirty: Shop) -> Shop:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _FIX)
    dirty.hook("commit-msg", _LIST)
    return dirty


def _is_right(shop: Shop) -> bool:
    done = shop.check("a.py")
    return done.output == _FILES + b"a = 2\n" + _FILES + b"a = 3\n" and len(done.fixes) == 1


def test_a_kill_before_and_after_a_step_i3_i4(dirty: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fourth moment between two steps, another quarter of them each time."""
    _kill_at_steps(dirty, monkeypatch, start=random.randrange(1, 5), stride=4)


@pytest.mark.soak
def test_a_kill_before_and_after_every_step_i3_i4(
    dirty: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill_at_steps(dirty, monkeypatch, start=1, stride=1)


def _kill_at_steps(
    dirty: Shop, monkeypatch: pytest.MonkeyPatch, *, start: int, stride: int
) -> None:
    shop = _prepared(dirty)
    before = shop.state()
    steps = 0

    def counted(function: Callable[..., Any], at: int) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == at:
                raise Killed
            done = function(*args, **options)
            steps += 1
            if steps == at:
                raise Killed
            return done

        return call

    at = start - stride
    while True:
        at += stride
        proposal, snapshot, steps = shop.propose("a.py"), shop.snapshot(), 0
        with monkeypatch.context() as patched:
            patched.setattr(Git, "run", counted(Git.run, at))
            patched.setattr(shutil, "copy2", counted(shutil.copy2, at))
            patched.setattr(os, "replace", counted(os.replace, at))
            try:
                snapshot.check(proposal)
            except Killed:
                pass
            else:
                break
        assert shop.state() == before, f"killed at step {at}"
        assert _is_right(shop), f"killed at step {at}"
    assert at > 40


_CHILD = """
import sys
from pathlib import Path
from tests.integration.workspace.hooks.shop import Shop
shop = Shop(Path(sys.argv[1]))
proposal = shop.propose("a.py")
print("ready", flush=True)
while True:
    shop.snapshot().check(proposal)
    print("again", flush=True)
"""


def _kill_at_random(shop: Shop, times: int) -> None:
    shop = _prepared(shop)
    before = shop.state()
    for _ in range(times):
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(shop.top)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        # How far it comes is chance: the pause is not waited for, it is what is tried.
        try:
            child.wait(chance.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            pass
        child.kill()
        child.wait()
        child.stdout.close()
        assert shop.state() == before, f"seed {seed}"
        assert _is_right(shop), f"seed {seed}"


def test_a_kill_at_any_moment_i3_i4(dirty: Shop) -> None:
    _kill_at_random(dirty, 5)


@pytest.mark.soak
def test_many_kills_at_any_moment_i3_i4(dirty: Shop) -> None:
    _kill_at_random(dirty, 200)
