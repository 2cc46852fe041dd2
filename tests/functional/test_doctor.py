"""``baton doctor``: what it says of hosts, records, configuration and what was left behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from gitbaton.app import App, open_app
from gitbaton.cli.doctor.examination import Examination
from gitbaton.core.clock import ManualClock
from tests.functional.baton import Answer, Baton
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]
FILES = {"local.sqlite", "store.sqlite"}


def visit(baton: Baton, *words: str, status: int) -> dict[str, Any]:
    """Run the doctor, who must end with ``status``, and return the document."""
    answer = baton("doctor", *words, "--json")
    assert answer.status == status, answer
    document: dict[str, Any] = answer.json
    assert set(document) == {"findings", "host"}
    for finding in document["findings"]:
        assert set(finding) == {"level", "subject", "text", "next"}
        assert finding["level"] in {"ok", "note", "warning", "problem"}
    return document


def told(document: dict[str, Any], *levels: str) -> list[str]:
    """Return ``subject: text`` of the findings of these levels."""
    return [f"{f['subject']}: {f['text']}" for f in document["findings"] if f["level"] in levels]


def next_of(document: dict[str, Any], words: str) -> str:
    """Return what to do about the finding whose text contains ``words``."""
    [found] = [f for f in document["findings"] if words in f["text"]]
    return str(found["next"])


def probes(remote: BareRepository) -> set[str]:
    return {ref for ref in remote.refs() if "probe" in ref}


# --- a healthy place


def test_a_healthy_clone(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    before = file_remote.refs()
    document = visit(one, status=0)
    assert told(document, "warning", "problem") == []
    assert {f["subject"] for f in document["findings"]} >= {
        *("baton", "python", "git", "clone", "engine", "state", "disk", "database", "host"),
        *("records", "config", "outbox"),
    }
    host = document["host"]
    assert host.pop("remote") == "origin"
    assert host.pop("url") == file_remote.url
    assert all(value is True for value in host.values())
    assert set(host) >= {"reachable", "create", "cas", "replace", "delete", "atomic", "board"}
    assert file_remote.refs() == before


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


# --- hosts


def test_a_host_without_atomic_pushes(clones: Clones, file_remote: BareRepository) -> None:
    file_remote.configure("receive.advertiseAtomic", "false")
    document = visit(clones("one"), status=0)
    [warning] = told(document, "warning")
    assert "two steps" in warning
    assert document["host"]["atomic"] is False
    assert probes(file_remote) == set()


def test_a_host_that_refuses_the_namespace(clones: Clones, file_remote: BareRepository) -> None:
    """What is advised works."""
    one = clones("one")
    file_remote.hook("update", 'case "$1" in refs/baton/*) echo never >&2; exit 1;; esac')
    document = visit(one, status=1)
    [problem] = told(document, "problem")
    assert "never" in problem
    advice = next_of(document, "refuses refs below")
    namespace = advice.split('"')[1]
    (one.directory / "baton.toml").write_text(f'[store]\nnamespace = "{namespace}"\n')
    assert "namespace" not in told(visit(one, status=1), "ok")
    one.ok("init", "--remote", "origin")
    assert told(visit(one, status=0), "warning", "problem") == []
    one.ok("add", "One", "--id", "t1")
    assert probes(file_remote) == set()


def test_settings_that_are_not_those_of_the_file(clones: Clones) -> None:
    one = clones("one")
    one.ok("init")
    (one.directory / "baton.toml").write_text('[store]\nboard = "other"\n')
    document = visit(one, status=0)
    assert next_of(document, "do not see each other") == "baton init --remote origin"


def test_a_branch_namespace_that_only_grows(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    (one.directory / "baton.toml").write_text(
        '[store]\nnamespace = "refs/heads/ai/records/"\nboard = "ai/board"\n'
    )
    file_remote.configure("receive.denyNonFastForwards", "true")
    [warning] = told(visit(one, status=0), "warning")
    assert "heartbeat" in warning
    file_remote.configure("receive.denyDeletes", "true")
    document = visit(one, status=0)
    assert any("stay on the host" in text for text in told(document, "warning"))
    [left] = probes(file_remote)
    assert next_of(document, f"{left} was made") == "delete it on the host"
    one.ok("add", "One", "--id", "t1")
    assert one.ok("list")["tasks"], "whoever reads does not mind it"


def test_a_host_that_refuses_every_push(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    file_remote.hook("pre-receive", "echo closed >&2; exit 1")
    document = visit(one, status=77)
    assert all("closed" in text for text in told(document, "problem"))
    assert document["host"]["reachable"] is True


def test_hidden_refs(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    file_remote.configure("transfer.hideRefs", "refs/baton")
    assert visit(one, status=1)["host"]["create"] is False
    file_remote.git("config", "--unset", "transfer.hideRefs")
    file_remote.configure("uploadpack.hideRefs", "refs/baton")
    assert visit(one, status=1)["host"]["list"] is False
    assert probes(file_remote) == set()


def test_a_missing_repository(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    document = visit(one, status=1)
    [problem] = told(document, "problem")
    assert "no repository" in problem
    assert document["host"]["reachable"] is False
    assert "outbox: nothing waits to be sent" in told(document, "ok"), "the rest is looked at"


def test_nobody_listens(clones: Clones) -> None:
    one = clones("one")
    one.git("remote", "set-url", "origin", f"http://{LOCALHOST}:{free_port()}/x.git")
    [problem] = told(visit(one, status=1), "problem")
    assert "cannot be reached" in problem


def test_credentials_that_are_refused(clones: Clones, http_remote: BareRepository) -> None:
    one = clones("one")
    one.git("remote", "set-url", "origin", http_remote.url.replace("s3cret", "wr0ng"))
    answer = one("doctor", "--json")
    assert answer.status == 77
    assert answer.json["host"]["reachable"] is False
    assert "wr0ng" not in answer.out + answer.err


def test_a_remote_with_a_password(clones: Clones, http_remote: BareRepository) -> None:
    one = clones("one")
    one.git("remote", "set-url", "origin", http_remote.url)
    one.git("push", "-q", "origin", "main")
    answer = one("doctor", "--json")
    assert answer.status == 0, answer
    assert "s3cret" not in answer.out + answer.err
    assert all(answer.json["host"][a] for a in ("cas", "atomic", "branch", "board"))
    assert probes(http_remote) == set()


def test_a_remote_that_is_no_more(clones: Clones) -> None:
    one = clones("one")
    one.ok("init")
    one.git("remote", "remove", "origin")
    [problem] = told(visit(one, status=1), "problem")
    assert "no remote 'origin' any more" in problem


def test_interrupted(clones: Clones, file_remote: BareRepository) -> None:
    """^C while the host is probed: 130, and nothing of it stays."""
    one = clones("one")
    one.ok("init")
    process = one.start("doctor", "--verbose")
    assert process.stderr is not None
    assert any("moving" in line for line in process.stderr), "it ended before it was at work"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert probes(file_remote) == set()


def test_what_a_killed_doctor_left_goes_after_a_day(
    clones: Clones, file_remote: BareRepository
) -> None:
    """Not before: it may belong to one who is at work. The day is this machine's own (I5)."""
    one = clones("one")
    one.ok("init")
    left = {f"refs/baton/probe/{'a' * 32}", f"refs/heads/task/_probe-{'b' * 32}"}
    for ref in {*left, "refs/heads/task/_probe-mine", "refs/heads/task/t1"}:
        file_remote.git("update-ref", ref, "refs/heads/main")
    clock, env = ManualClock(), one.environment()
    opened = open_app(one.directory, env)
    with closing(App(opened.clone, env, opened.settings, clock=clock)) as app:
        assert any("of another doctor" in text for text in look(app, env))
        clock.jump_wall(1e8)
        clock.advance(86_000)
        look(app, env)
        assert file_remote.refs().keys() >= left
        clock.advance(500)
        assert any("2 refs of a doctor that was cut off" in text for text in look(app, env))
    assert not file_remote.refs().keys() & left
    assert file_remote.refs().keys() >= {"refs/heads/task/_probe-mine", "refs/heads/task/t1"}


def look(app: App, env: Mapping[str, str]) -> list[str]:
    """Let the doctor look through ``app``; return what was said."""
    examination = Examination(env, lambda: app, agent=None, probing=True, told=lambda _: None)
    examination.run()
    assert examination.sound
    return [finding.text for finding in examination.findings]


def test_another_doctors_refs_disturb_nobody(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    file_remote.git("update-ref", f"refs/baton/probe/{'a' * 32}", "refs/heads/main")
    one.ok("add", "One", "--id", "t1")
    assert one.ok("status")["alerts"] == []


# --- locks


def test_a_stale_lock(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    lock = file_remote.path / "refs" / "baton" / "tasks" / "t1.lock"
    lock.touch()
    assert told(visit(one, status=0), "problem") == [], "it may be in use"
    os.utime(lock, (time.time() - 120,) * 2)
    document = visit(one, status=1)
    command = next_of(document, "t1.lock").partition("rm ")[2]
    subprocess.run(["rm", command], check=True)
    assert told(visit(one, status=0), "problem") == []


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
    for name in sorted(FILES):
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
    assert "cannot be read" in problem


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
