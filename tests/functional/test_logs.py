"""``baton logs``: what an agent printed, on the machine that it ran on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.functional.baton import Baton, lines
from tests.functional.outage import away
from tests.functional.upkeep import script, wait_for, working
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]

PRINTS = r"printf 'one \033[31mred\033[0m\r\nlast\n'"


def run_agent(clone: Baton, tmp_path: Path, work: str, *options: str) -> None:
    agent = script(tmp_path, work)
    assert clone("work", "--once", "--agent", agent, *options).status in (0, 1)


def test_what_the_agent_printed(
    clones: Clones, tmp_path: Path, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    run_agent(one, tmp_path, PRINTS)
    with away(file_remote):  # a file of this machine: nobody has to be asked
        shown = one.ok("logs", "t1")
        human = one("logs", "t1")
        raw = one("logs", "t1", "--raw")
    assert {k: shown[k] for k in ("task", "epoch", "text")} == {
        "task": "t1",
        "epoch": 1,
        "text": "one \x1b[31mred\x1b[0m\r\nlast\n",
    }
    assert Path(shown["path"]).is_file()
    assert human.out == "one \\x1b[31mred\\x1b[0m\nlast\n", "I8: it cannot steer a terminal"
    assert raw.out == "one \x1b[31mred\x1b[0m\r\nlast\n"
    assert one("logs", "t1", "--raw", "--json").status == 2


def test_the_latest_claim_or_another(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    (one.directory / "baton.toml").write_text('[queue]\nbackoff = "0.01s"\n')
    one.ok("add", "One", "--id", "t1")
    run_agent(one, tmp_path, "echo first; exit 1")
    run_agent(one, tmp_path, "echo second", "--check", "echo checked")
    assert one.ok("logs", "t1")["text"] == "second\n"
    assert one.ok("logs", "t1", "--epoch", "1")["text"] == "first\n"
    assert one.ok("logs", "t1", "--step", "check-1")["text"] == "checked\n"
    assert "--step check-1" in one("logs", "t1").err
    missing = one("logs", "t1", "--step", "setup-1", "--json")
    assert (missing.status, "check-1" in missing.error["message"]) == (1, True)


def test_on_another_machine(clones: Clones, tmp_path: Path) -> None:
    one, two = clones("one"), clones("two")
    two.ok("add", "One", "--id", "t1")
    nobody = two("logs", "t1", "--json")
    assert (nobody.status, nobody.error["code"]) == (1, "no_log")
    assert "nobody claimed it yet" in nobody.error["message"]
    one.ok("claim", "t1", "--agent", "ann")
    held = two("logs", "t1", "--json")
    assert "it is with ann" in held.error["message"]
    one.ok("done", "t1")
    assert "ann had it" in two("logs", "t1", "--json").error["message"]
    assert two("logs", "t9", "--json").error["code"] == "unknown_task"


def follow(clone: Baton, *options: str) -> subprocess.Popen[str]:
    return clone.start("logs", "t1", "-f", *options)


def test_following_ends_with_the_claim(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    go, up = tmp_path / "go", tmp_path / "up"
    agent = script(
        tmp_path,
        f"echo begin; touch {up}; while [ ! -e {go} ]; do sleep 0.05; done; printf end",
    )
    with working(one, agent) as worker:
        wait_for(up)
        human, machine = follow(one), follow(one, "--json")
        assert human.stdout is not None
        assert machine.stdout is not None
        assert human.stdout.readline() == "begin\n"
        first = machine.stdout.readline()
        go.touch()
        assert human.communicate(timeout=60) == ("end\n", "")
        rest, _ = machine.communicate(timeout=60)
        worker.communicate(timeout=60)
    documents = list(lines(first + rest))
    assert "".join(d["text"] for d in documents) == "begin\nend"
    assert {(d["task"], d["epoch"]) for d in documents} == {("t1", 1)}
    assert (human.returncode, machine.returncode) == (0, 0)


def test_following_what_has_ended(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    run_agent(one, tmp_path, "true")
    assert one("logs", "t1", "-f").out == ""
    assert one.ok("logs", "t1", "-f")["text"] == ""
