"""``baton doctor``: what it says of a place, records, configuration and what was left behind."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.functional.baton import Answer, Baton
from tests.functional.surgery import next_of, told, visit
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


# --- a healthy place


def test_a_healthy_clone(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    before = file_remote.refs()
    document = visit(one, status=0)
    assert told(document, "warning", "problem") == []
    assert {f["subject"] for f in document["findings"]} >= {
        *("baton", "python", "git", "clone", "engine", "state", "disk", "database", "host"),
        *("records", "config", "outbox", "transport"),
    }
    host = document["host"]
    assert host.pop("remote") == "origin"
    assert host.pop("url") == file_remote.url
    assert all(value is True for value in host.values())
    assert set(host) >= {"reachable", "create", "cas", "replace", "delete", "atomic", "board"}
    assert file_remote.refs() == before


def test_the_transport(clones: Clones) -> None:
    one = clones("one")
    assert any("transport: fast" in text for text in told(visit(one, status=0), "ok"))
    (one.directory / "baton.toml").write_text('[store]\ntransport = "plain"\n')
    [text] = [t for t in told(visit(one, status=0), "note") if t.startswith("transport")]
    assert "as baton.toml wants" in text
    (one.directory / "baton.toml").unlink()
    one.git("config", "protocol.file.allow", "user")
    [text] = [t for t in told(visit(one, status=0), "note") if t.startswith("transport")]
    assert "in a way of its own" in text


def test_a_relative_path_is_as_fast_as_an_absolute_one(clones: Clones) -> None:
    one = clones("one")
    url = os.path.relpath(one.git("remote", "get-url", "origin"), one.directory)
    one.git("remote", "set-url", "origin", url)
    below = one.directory / "below"
    below.mkdir()
    assert any("transport: fast" in text for text in told(visit(Baton(below), status=0), "ok"))


def test_a_shallow_clone_is_called_so(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.commit("main", "readme", "more\n")
    one.git("push", "-q", "origin", "main")
    url = f"file://{one.git('remote', 'get-url', 'origin')}"
    one.git("clone", "-q", "--depth", "1", url, str(tmp_path / "shallow"))
    visited = visit(Baton(tmp_path / "shallow"), status=0)
    [text] = [t for t in told(visited, "note") if t.startswith("transport")]
    assert "this clone is shallow (git fetch --unshallow" in text


def test_without_probing_nothing_is_written(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    file_remote.hook("pre-receive", f'touch "{file_remote.path}/pushed"; exit 1')
    document = visit(one, "--no-probe", status=0)
    assert "create" not in document["host"]
    assert not (file_remote.path / "pushed").exists()


def test_without_a_remote(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    document = visit(baton, status=0)
    assert document["host"] == {}
    assert "records: 1 task, all readable" in told(document, "ok")


def test_outside_of_a_repository(tmp_path: Path) -> None:
    document = visit(Baton(tmp_path), status=1)
    [problem] = told(document, "problem")
    assert "not in a git repository" in problem
    assert told(document, "ok"), "the machine can be looked at all the same"


def test_for_people(clones: Clones) -> None:
    answer = clones("one")("doctor")
    assert answer.status == 0
    assert answer.err == ""
    assert answer.out.splitlines()[-1] == "no problems, no warnings"
    assert max(len(line) for line in answer.out.splitlines() if "/" not in line) <= 80
    assert clones("two")("doctor", "--quiet") == Answer(0, "", "")
    verbose = clones("three")("doctor", "--verbose")
    assert "clocks are never compared" in verbose.out
    assert "rehearsing" in verbose.err


def test_the_users_repository_is_left_alone(clones: Clones) -> None:
    one = clones("one")
    looks = (["for-each-ref"], ["config", "--local", "--list"], ["status", "--porcelain"])
    before = [one.git(*words) for words in looks]
    visit(one, status=0)
    assert [one.git(*words) for words in looks] == before


# --- records


def damage(remote: BareRepository, ref: str) -> None:
    """Put a commit without a record on ``ref``."""
    tree = remote.git("mktree", stdin=b"")
    identity = ("-c", "user.name=x", "-c", "user.email=x@y")
    remote.git("update-ref", ref, remote.git(*identity, "commit-tree", tree, "-m", "?"))


def test_a_damaged_record(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    one.ok("add", "Two", "--id", "t2")
    damage(file_remote, "refs/baton/tasks/t1")
    document = visit(one, status=1)
    [problem] = told(document, "problem")
    assert "tasks/t1 cannot be read" in problem
    assert "everything else goes on" in problem
    assert "refs/baton/tasks/t1" in next_of(document, "tasks/t1")
    assert one.ok("claim")["claims"][0]["task"]["id"] == "t2"


def test_cards_that_were_edited_by_hand(clones: Clones, file_remote: BareRepository) -> None:
    """The board is for reading: what is written there changes no record, and is named."""
    one = clones("one")
    for task in ("parked", "live", "left"):
        one.ok("add", task.title(), "--id", task)
    one.ok("claim", "parked")
    one.ok("done", "parked")
    one.ok("fold")
    assert told(visit(one, "--no-probe", status=0), "problem", "warning") == []
    board = one.directory.parent / "board"
    subprocess.run(["git", "clone", "-q", "-b", "baton", file_remote.url, str(board)], check=True)
    [parked] = board.glob("tasks/*/parked.json")
    for card, word in ((parked, "Parked"), (board / "live/live.json", "Live")):
        card.write_text(card.read_text().replace(f'"title": "{word}"', '"title": "Else"'))
    Baton(board).git("commit", "-q", "-a", "-m", "by hand")
    Baton(board).git("push", "-q", "origin", "baton")
    document = visit(one, "--no-probe", status=1)
    [problem], [warning] = told(document, "problem"), told(document, "warning")
    assert f"{parked.relative_to(board)} on the board was edited by hand" in problem
    assert "live/live.json on the board was edited by hand" in warning
    advice = next_of(document, "live/live.json")
    assert "git fetch origin baton && git log -p FETCH_HEAD -- 'live/live.json'" in advice
    assert "baton edit" in next_of(document, "live/live.json")


def test_refs_that_are_no_records(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    file_remote.git("update-ref", "refs/baton/what/is/this", "refs/heads/main")
    [note] = told(visit(one, status=0), "note")
    assert "refs/baton/what/is/this" in note


def test_what_a_killed_server_left_half_done(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    file_remote.git("update-ref", "-d", "refs/baton/tasks/t1")
    document = visit(one, status=0)
    [warning] = told(document, "warning")
    assert "half done: " in warning
    assert "tasks/t1" in warning
    assert next_of(document, "half done") == "baton fold"


def test_databases(baton: Baton) -> None:
    baton.ok("add", "One")
    state = baton.directory / ".git" / "baton"
    for name in ("local.sqlite", "store.sqlite"):
        whole = (state / name).read_bytes()
        for suffix in ("-wal", "-shm"):
            (state / f"{name}{suffix}").unlink(missing_ok=True)
        (state / name).write_bytes(b"this is no database at all, not one bit of it" * 100)
        assert any(name in text for text in told(visit(baton, status=1), "problem"))
        (state / name).write_bytes(whole)
    connection = sqlite3.connect(state / "local.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    document = visit(baton, status=1)
    assert next_of(document, "newer gitbaton") == "upgrade gitbaton"


# --- configuration


def test_a_mistake_in_baton_toml_is_told_once(clones: Clones) -> None:
    one = clones("one")
    one.ok("init")
    (one.directory / "baton.toml").write_text("[queue]\nlaese = '5m'\n")
    [problem] = told(visit(one, status=1), "problem")
    assert "queue.laese" in problem


def test_a_mistake_on_the_target_branch_closes_all_gates(clones: Clones) -> None:
    """I9"""
    one = clones("one")
    one.commit("main", "baton.toml", "[gates.prod]\napprovers = 3\n")
    one.git("push", "-q", "origin", "main")
    (one.directory / "baton.toml").write_text("")
    [problem] = told(visit(one, status=1), "problem")
    assert "no gate opens" in problem


def test_what_counts_is_on_the_target_branch(clones: Clones) -> None:
    one = clones("one")
    (one.directory / "baton.toml").write_text('[gates.prod]\napprovers = ["me"]\n')
    notes = told(visit(one, status=0), "note")
    assert any("gates.prod.approvers differs" in text for text in notes)


def test_gates(clones: Clones) -> None:
    one = clones("one")
    text = '[gates.prod]\napprovers = ["ada@example.org"]\n[gates.open]\n[gates.shut]\napprovers=[]'
    one.commit("main", "baton.toml", text)
    one.git("push", "-q", "origin", "main")
    one.ok("add", "One", "--id", "t1", "--gate", "prod")
    one.ok("add", "Two", "--id", "t2", "--gate", "prdo")
    document = visit(one, status=0)
    warnings = told(document, "warning")
    assert any("'open' has no approvers" in text for text in warnings)
    assert any("'prdo' (of t2) is not configured" in text for text in warnings)
    assert any("'shut' has an empty list" in text for text in warnings)
    assert any("'prod' (of t1)" in text and "on trust" in text for text in told(document, "note"))
    assert "approvers" in next_of(document, "'prdo'")


def test_signers(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(make, check=True)
    key = (tmp_path / "key.pub").read_text()
    (one.directory / ".baton").mkdir()
    one.commit("main", "baton.toml", '[gates.prod]\napprovers = ["ada@example.org"]\n')
    one.commit("main", ".baton/allowed_signers", f"ada@example.org {key}")
    one.git("push", "-q", "origin", "main")
    document = visit(one, status=0)
    assert "gates: gate 'prod' opens with a signature" in told(document, "ok")
    one.commit("main", ".baton/allowed_signers", "ada@example.org somewhere else\n")
    one.git("push", "-q", "origin", "main")
    [problem] = told(visit(one, status=1), "problem")
    assert "line 1 is no signer" in problem


def test_signers_that_are_there_and_cannot_be_read(clones: Clones) -> None:
    """I9: a directory where the file should be is not the same as no file."""
    one = clones("one")
    (one.directory / ".baton" / "allowed_signers").mkdir(parents=True)
    one.commit("main", ".baton/allowed_signers/ada", "key\n")
    one.git("push", "-q", "origin", "main")
    [problem] = told(visit(one, status=1), "problem")
    assert ".baton/allowed_signers" in problem
    assert "no gate opens" in problem


def test_tasks_and_fleet(clones: Clones) -> None:
    one = clones("one")
    for number in range(7):
        one.ok("add", "x", "--id", f"t{number}")
        acting = one.acting(BATON_SESSION=f"w{number}", BATON_AGENT="a")
        acting.ok("claim", f"t{number}", "--lease", "30s")
    one.ok("add", "GPU", "--requires", "gpu")
    document = visit(one, "--no-probe", status=0)
    [load] = told(document, "warning")
    assert "7 workers renew with 42.0 pushes" in load
    assert [load.removeprefix("lease: ")] == [
        alert.partition(";")[0] for alert in one.ok("status")["alerts"]
    ]
    assert any("'gpu'" in text for text in told(document, "note"))


# --- what was left behind


def test_what_waits_for_the_remote(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    url = one.git("remote", "get-url", "origin")
    one.ok("init")
    one.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    assert one.ok("add", "One", "--id", "t1")["queued"] is True
    one.git("remote", "set-url", "origin", url)
    document = visit(one, status=0)
    assert next_of(document, "1 add") == "baton sync"


def test_what_a_killed_worker_left(clones: Clones) -> None:
    """Its worktree, and, where its guard was killed as well, its agent."""
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    worker = one.start("work", "--agent", "sh -c 'touch started; exec sleep 600'", "--name", "w")
    started = one.directory.parent / "one.baton" / "worktrees" / "t1-e1" / "started"
    _wait(started.exists)
    assert not any("died" in text for text in told(visit(one, status=0), "warning"))
    worker.kill()
    worker.communicate(timeout=30)
    document = visit(one, "--no-probe", status=0)
    assert any("worker of t1 (epoch 1) has died" in text for text in told(document, "warning"))
    assert "baton gc" in next_of(document, "has died")
    (started.parents[1] / "mine").mkdir()
    notes = told(visit(one, "--no-probe", status=0), "note")
    assert any("no worktree that baton knows" in text for text in notes)


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


# --- agents


def program(baton: Baton, name: str, script: str) -> Baton:
    """Put a program on PATH."""
    directory = baton.directory.parent / "bin"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
    return baton.acting(PATH=f"{directory}:{os.environ['PATH']}")


def test_an_agent_that_is_not_there(baton: Baton) -> None:
    alone = baton.acting(PATH="/usr/bin:/bin")
    document = visit(alone, "--agent", "gptme", status=1)
    assert next_of(document, "gptme") == "install gptme"
    document = visit(alone, "--agent", "claud", status=1)
    assert "known: aider, claude" in told(document, "problem")[0]
    assert next_of(document, "known:") == "baton doctor --agent claude"


def test_an_agent_that_is_logged_out_and_in(baton: Baton) -> None:
    with_it = program(baton, "codex", '[ "$1" = --version ] && echo codex 1.2 && exit; exit 1')
    document = visit(with_it, "--agent", "codex", status=1)
    assert next_of(document, "not logged in") == "codex login"
    document = visit(with_it.acting(CODEX_API_KEY="k"), "--agent", "codex", status=0)
    assert "agent: 'codex' is there (codex 1.2)" in told(document, "ok")


def test_an_agent_of_ones_own(baton: Baton) -> None:
    with_it = program(baton, "mine", '[ "$1" = check ] || touch ran')
    (baton.directory / "baton.toml").write_text(
        '[agents.me]\ncommand = "mine {prompt}"\ncheck = "mine check"\n'
    )
    assert "'me' is logged in" in told(visit(with_it, "--agent", "me", status=0), "ok")[-1]
    visit(with_it, "--agent", "mine --fast {prompt}", status=0)
    visit(with_it, "--agent", "sh -c 'mine {prompt}'", status=1)
    assert not (baton.directory / "ran").exists()


KILL = (
    "import os, signal\n"
    "from gitbaton.git.reftransaction import RefTransaction\n"
    "RefTransaction.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
    "from gitbaton.cli.main import main\n"
    "main()\n"
)


def test_a_commit_that_was_killed_and_cannot_be_tidied_up(clones: Clones) -> None:
    """It is named with what is in the way, in whichever working tree it is; and then forgotten."""
    one = clones("one")
    tree = one.directory.parent / "linked"
    one.git("worktree", "add", "--quiet", "--detach", str(tree))
    (tree / "readme").write_text("new\n")
    subprocess.run(
        [sys.executable, "-c", KILL, "commit", "readme", "-m", "x"],
        cwd=tree,
        env=one.environment(),
        check=False,
    )
    lock = one.directory / ".git/worktrees/linked/index.lock"
    lock.touch()
    os.utime(lock, (time.time() - 120,) * 2)
    document = visit(one, "--no-probe", status=1)
    killed = f"a commit in {tree} was killed half-way, and cannot be tidied up: git's index is"
    assert any(text.startswith(f"commits: {killed}") for text in told(document, "problem"))
    assert f"rm {lock}" in next_of(document, killed)
    assert next_of(document, f"{lock} is in the way") == f"if no git is running there: rm {lock}"

    lock.unlink()
    elsewhere = tree.rename(tree.with_name("elsewhere"))
    document = visit(one, "--no-probe", status=0)
    assert next_of(document, "that directory is gone").startswith("git worktree prune")
    [journal] = (one.directory / ".git/baton/moves").glob("*.json")

    elsewhere.rename(tree)
    one.git("worktree", "remove", "--force", str(tree))
    one.ok("gc")
    assert not journal.exists()
    assert told(visit(one, "--no-probe", status=0), "warning", "problem") == []
