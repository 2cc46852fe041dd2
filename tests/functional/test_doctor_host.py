"""What ``baton doctor`` finds out about a host by trying, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from gitbaton.app import App, open_app
from gitbaton.cli.doctor.examination import Examination
from gitbaton.core.clock import ManualClock
from tests.functional.baton import Baton
from tests.functional.surgery import next_of, probes, told, visit
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


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


def test_a_stale_lock_of_where_history_ends(clones: Clones) -> None:
    """In our own repository, where the next fetch of a world removes it if it can."""
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    lock = one.directory / ".git" / "baton" / "shallow.lock"
    lock.touch()
    assert told(visit(one, status=0), "problem") == [], "it may be in use"
    os.utime(lock, (time.time() - 120,) * 2)
    assert next_of(visit(one, status=1), "shallow.lock").endswith(f"rm {lock}")
