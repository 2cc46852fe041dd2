"""The pre-commit framework and prek, installed as their users install them, without a network."""

from __future__ import annotations

import subprocess

import pytest

from gitbaton.workspace.snapshot.proposal import HookFailed
from tests.integration.workspace.hooks.shop import Shop
from tests.needs import hook_framework, needs

_CONFIG = """\
repos:
- repo: local
  hooks:
  - id: upper
    name: upper
    language: system
    entry: sh tools/upper.sh
    files: \\.up$
  - id: careful
    name: careful
    language: system
    entry: sh tools/careful.sh
    types: [python]
  - id: words
    name: words
    language: system
    entry: sh tools/words.sh
    stages: [commit-msg]
"""
_TOOLS = {
    "tools/upper.sh": 'echo "upper saw $*"\nfor f; do tr a-z A-Z < "$f" > t; mv t "$f"; done\n',
    "tools/careful.sh": 'echo "careful saw $*"\nif grep -l BAD "$@"; then exit 1; fi\n',
    "tools/words.sh": 'grep -q ticket "$1"\n',
}


@pytest.fixture(params=["pre-commit", "prek"])
def framed(request: pytest.FixtureRequest, dirty: Shop) -> Shop:
    """Give the dirty shop with one of the frameworks installed, and its tools committed."""
    needs(request.param)
    dirty.write({".pre-commit-config.yaml": _CONFIG, **_TOOLS, "x.up": "up\n"})
    names = (".pre-commit-config.yaml", "tools", "x.up")
    dirty.git("add", *names)
    dirty.git("commit", "--quiet", "-m", "tools", "--", *names)
    program = str(hook_framework(request.param))
    types = ("--hook-type", "pre-commit", "--hook-type", "commit-msg")
    subprocess.run([program, "install", *types], cwd=dirty.top, check=True, capture_output=True)
    # What others are at would change the answer, were it seen.
    dirty.write({"tools/careful.sh": "exit 9\n", "x.up": "half written\n", "b.py": "BAD\n"})
    return dirty


def test_a_formatter_and_a_check_see_the_named_files(framed: Shop) -> None:
    framed.write({"y.up": "some words\n", "a.py": "a = 2\n"})
    before = framed.state()
    done = framed.check("y.up", "a.py", message="a ticket")
    assert framed.file(done.tree, "y.up") == "SOME WORDS\n"
    assert [fix.path for fix in done.fixes] == [b"y.up"]
    assert (done.dropped, done.ran) == ((), ("pre-commit", "commit-msg"))
    assert framed.state() == before


def test_a_check_that_fails_fails_the_commit(framed: Shop) -> None:
    framed.write({"y.up": "some words\n", "a.py": "BAD = 2\n"})
    before = framed.state()
    with pytest.raises(HookFailed) as failed:
        framed.check("y.up", "a.py", message="a ticket")
    shown = failed.value.output.decode()
    assert "careful saw a.py\na.py\n" in shown.replace("  ", "")
    assert "upper saw y.up" in shown.replace("  ", "")
    assert failed.value.hook == "pre-commit"
    framed.write({"a.py": "a = 3\n"})
    with pytest.raises(HookFailed) as failed:
        framed.check("a.py", message="no number")
    assert failed.value.hook == "commit-msg"
    framed.write({"a.py": "BAD = 2\n"})
    assert framed.state() == before
