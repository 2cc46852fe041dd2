"""How the command line starts, helps, completes and prints."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from gitbaton.cli.catalogue import VERBS
from tests.functional.baton import COMMAND, Baton

_WATCH = """\
import sys
from gitbaton.cli.main import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
_HEAVY = {"rich", "psutil", "hypothesis", "stamina", "tenacity", "humanize", "asyncio", "sqlite3"}


def imported(baton: Baton, *words: str) -> set[str]:
    """Return the modules that ``baton *words`` has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, *words],
        cwd=baton.directory,
        env=baton.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_help_imports_no_verb_and_nothing_heavy(baton: Baton) -> None:
    modules = imported(baton, "--help")
    assert not {name for name in modules if name.startswith("gitbaton.cli.verbs.")}
    assert not modules & _HEAVY
    assert not {name for name in modules if name.startswith(("gitbaton.store", "gitbaton.tasks"))}


def test_ready_in_json_imports_only_what_it_needs(baton: Baton) -> None:
    modules = imported(baton, "ready", "--json")
    verbs = {name for name in modules if name.startswith("gitbaton.cli.verbs.")}
    assert verbs == {"gitbaton.cli.verbs.ready"}
    assert modules & _HEAVY == {"sqlite3"}


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_helps(baton: Baton, name: str) -> None:
    answer = baton(name, "--help")
    assert answer.status == 0
    assert answer.out.startswith(f"Usage: baton {name}")
    assert "--json" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_help_names_every_verb_in_eighty_columns(baton: Baton) -> None:
    answer = baton()
    assert answer == baton("--help")
    assert all(f"\n  {name}" in answer.out for name in VERBS)
    assert max(map(len, answer.out.splitlines())) <= 80


def test_the_version(baton: Baton) -> None:
    assert baton("--version").out.startswith("baton ")
    assert set(baton("--version", "--json").json) == {"version"}


def test_global_options_stand_on_either_side(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    assert baton("--json", "list").json == baton("list", "--json").json
    assert baton("-q", "add", "Two", "--id", "t2").out == "t2\n"
    assert baton("add", "Three", "--id", "t3", "--quiet").out == "t3\n"
    assert "sqlite" in baton("list", "--verbose").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(baton: Baton, shell: str) -> None:
    script = baton("completion", shell).out
    assert "_BATON_COMPLETE" in script


def test_completion_knows_verbs_and_options(baton: Baton) -> None:
    def complete(words: str, position: int) -> str:
        asking = baton.acting(
            _BATON_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(position)
        )
        return asking().out

    assert "plain,claim" in complete("baton cl", 1)
    assert "plain,--create" in complete("baton claim --cr", 2)


def test_git_baton_is_the_same_command(baton: Baton, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "git-baton"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    script.chmod(0o755)
    done = subprocess.run(
        ["git", "baton", "list", "--json"],
        cwd=baton.directory,
        env={**baton.environment(), "PATH": f"{script.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '{"tasks":[]}\n'


def test_tables_fit_the_terminal_are_whole_in_a_pipe_and_never_cut_an_id(baton: Baton) -> None:
    long, title = "x" * 64, "An exceedingly long title " * 7
    baton.ok("add", title, "--id", long)
    piped, shown = baton("list").out, in_terminal(baton, "list", "--no-color")
    assert long in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert (long in piped, title.strip() in piped) == (True, True)
    assert not any(line.endswith(" ") for line in piped.splitlines())


def in_terminal(baton: Baton, *words: str) -> str:
    """Return what ``baton *words`` prints to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *words],
        cwd=baton.directory,
        env={**baton.environment(), "TERM": "xterm-256color", "COLUMNS": "80"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # how Linux says that the other end has closed
    os.close(ours)
    return shown.decode()


def test_colour_is_for_terminals_and_can_be_turned_off(baton: Baton) -> None:
    baton.ok("claim", "t1", "--create")
    assert "\x1b[" in in_terminal(baton, "list")
    assert "\x1b[" not in in_terminal(baton, "list", "--no-color")
    assert "\x1b[" not in in_terminal(baton.acting(NO_COLOR="1"), "list")
    assert "\x1b" not in baton("list").out


@pytest.mark.parametrize("name", ["frame", "inbox", "plan", "worker"])
def test_a_list_of_verbs_says_whole_sentences(baton: Baton, name: str) -> None:
    listed = baton(name, "--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert listed and "..." not in listed
