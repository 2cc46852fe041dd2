"""``baton plan new | validate | show | schema`` as people and programs use them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.plans.registry.record import Address, State, WorkerRecord, encode_worker
from gitbaton.store.model import ABSENT, Actor, Committed, Transaction, make_key
from gitbaton.store.sqlite import SqliteStore
from tests.functional.baton import Baton

NASTY = '</title><script>alert(1)</script>"`#;\\u001b[31m\\u202e'


@pytest.fixture
def outside(tmp_path: Path) -> Baton:
    """A directory that is no clone."""
    (tmp_path / "plain").mkdir()
    return Baton(tmp_path / "plain", {"GIT_CEILING_DIRECTORIES": str(tmp_path)})


def write(baton: Baton, text: str, name: str = "plan.toml") -> str:
    """Write a plan and return its name."""
    (baton.directory / name).write_text(text)
    return name


def chain_of(count: int, title: str = "T") -> str:
    """Return a plan of ``count`` phases in a row."""
    parts = ['[plan]\nname = "p"\nchecks = ["true"]\n']
    for number in range(count):
        needs = f'needs = ["n{number - 1}"]\n' if number else ""
        parts.append(f'[[phase]]\nid = "n{number}"\ntitle = "{title}"\ndeliverable = "d"\n{needs}')
    return "\n".join(parts)


# --- new


def test_new_writes_a_plan_that_is_right_and_overwrites_nothing(outside: Baton) -> None:
    made = outside.ok("plan", "new")
    assert made == {"file": "plan.toml", "schema": "plan.schema.json", "schema_made": True}
    text = (outside.directory / "plan.toml").read_text()
    assert text.startswith("#:schema plan.schema.json\n")
    assert json.loads((outside.directory / "plan.schema.json").read_text()) == json.loads(
        outside("plan", "schema").out
    )
    assert outside.ok("plan", "validate", "plan.toml")["valid"]
    again = outside("plan", "new", "--json")
    assert again.status == 1
    assert again.error["code"] == "exists"
    assert again.error["next"] == "baton plan validate plan.toml"
    assert (outside.directory / "plan.toml").read_text() == text
    assert outside.ok("plan", "new", "other.toml")["schema_made"] is False


def test_new_where_nothing_can_be_written(outside: Baton) -> None:
    answer = outside("plan", "new", "no/such/plan.toml", "--json")
    assert (answer.status, answer.error["code"]) == (1, "no_file")


def test_the_directory_of_the_whole_command(outside: Baton) -> None:
    inner = outside.directory / "inner"
    inner.mkdir()
    assert outside("-C", "inner", "plan", "new").status == 0
    assert tomllib.loads((inner / "plan.toml").read_text())["plan"]["name"] == "greeter"
    assert outside("-C", "inner", "plan", "show", "plan.toml").status == 0


# --- validate


def test_every_mistake_is_printed_where_it_is(outside: Baton) -> None:
    text = chain_of(3).replace('needs = ["n0"]', 'needs = ["n2"]\npriority = "x"')
    answer = outside("plan", "validate", write(outside, text))
    assert answer.status == 1
    assert answer.out.splitlines() == [
        "plan.toml:15: error: phase 'n1': priority must be a whole number, not a text",
        "plan.toml:21: error: phase 'n2': the needs go in a circle: n1 -> n2 -> n1",
        "plan.toml: 2 errors, 0 warnings",
    ]


def test_the_same_for_programs(outside: Baton) -> None:
    file = write(outside, chain_of(1) + 'paths = ["a/**"]\nfoo = 1\n')
    answer = outside("plan", "validate", file, "--json")
    document = answer.json
    assert answer.status == 1
    assert document["error"] == {
        "code": "invalid_plan",
        "message": "there is 1 error in plan.toml",
        "next": "baton plan validate plan.toml",
    }
    assert (document["valid"], document["plan"], document["file"]) == (False, None, "plan.toml")
    [problem] = document["problems"]
    assert set(problem) == {"line", "level", "code", "phase", "field", "message"}
    assert (problem["line"], problem["code"], problem["phase"]) == (10, "unknown-key", "n0")


def test_warnings_are_no_failure(outside: Baton) -> None:
    text = chain_of(2).replace('needs = ["n0"]', "").replace('"d"', '"d"\npaths = ["a/*"]')
    answer = outside("plan", "validate", write(outside, text))
    assert answer.status == 0
    assert ": warning: phase 'n0' may run beside 'n1'" in answer.out
    assert "plan.toml: 2 phases, 0 errors, 1 warning\n" in answer.out
    assert "not asked" in answer.err


def test_a_file_that_is_not_there(outside: Baton) -> None:
    answer = outside("plan", "validate", "no.toml", "--json")
    assert (answer.status, answer.error["code"]) == (1, "no_file")
    assert answer.error["next"] == "baton plan new no.toml"


def test_in_a_clone_project_and_workers_are_asked(baton: Baton) -> None:
    text = chain_of(2).replace('["n0"]', '["n0"]\nrequires = ["gpu"]\nbranch = "main"')
    file = write(baton, text)
    answer = baton("plan", "validate", file)
    assert "branch 'main' is already that of the project" in answer.out
    assert "note: no worker is registered yet" in answer.out
    worker = WorkerRecord(
        name="w1", machine="m", state=State.ABSENT, address=Address(host="h", path="/p")
    )
    store = SqliteStore(baton.directory / ".git" / "baton" / "store.sqlite", clock=ManualClock())
    change = Transaction(
        expect={worker.key: ABSENT, make_key("workers", "broken"): ABSENT},
        write={worker.key: encode_worker(worker), make_key("workers", "broken"): {"format": 1}},
        subject="add: w1",
        actor=Actor("me"),
    )
    [outcome] = store.commit([change])
    store.close()
    assert isinstance(outcome, Committed)
    answer = baton("plan", "validate", file)
    assert "plan.toml:15: error: phase 'n1': no registered worker has 'gpu'" in answer.out
    assert baton("plan", "validate", file, "--offline").out.endswith(
        "0 errors, 0 warnings\n  next: baton plan show plan.toml\n"
    )


# --- show


def test_the_tree_fits_eighty_columns(outside: Baton) -> None:
    file = write(outside, chain_of(30, "A rather long title 漢字漢字漢字 " * 5))
    answer = outside("plan", "show", file)
    assert answer.status == 0
    assert max(map(len, answer.out.splitlines())) <= 80
    assert answer.out.startswith("p: 30 phases\n")
    assert "the longest chain, 30 phases:" in answer.out


def test_the_graph_for_programs(outside: Baton) -> None:
    outside("plan", "new")
    document = outside.ok("plan", "show", "plan.toml")
    assert document["critical_path"] == ["design", "program", "release"]
    release = document["phases"][3]
    assert (release["task"], release["level"]) == ("greeter.release", 2)
    assert release["needs"] == ["program", "tests"]


def test_pictures(outside: Baton) -> None:
    outside("plan", "new")
    assert outside("plan", "show", "plan.toml", "--mermaid").out.startswith("graph TD\n")
    picture = ET.fromstring(outside("plan", "show", "plan.toml", "--svg").out)
    boxes = picture.findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(boxes) == 4
    assert outside("plan", "show", "plan.toml", "--svg", "--mermaid").status == 2


@pytest.mark.parametrize("how", [(), ("--mermaid",), ("--svg",), ("--json",)])
def test_what_a_plan_says_cannot_become_anything_else(outside: Baton, how: tuple[str, ...]) -> None:
    """I8: titles and descriptions are text on a terminal and in a picture."""
    text = chain_of(1).replace('title = "T"', f"title = '{NASTY[:42]}'")
    text = text.replace('name = "p"', f'name = "p"\ndescription = "{NASTY[-18:]}"')
    answer = outside("plan", "show", write(outside, text), *how)
    assert answer.status == 0, answer
    assert not {"\x1b", "\u202e"} & set(answer.out)
    if how == ("--svg",):
        picture = ET.fromstring(answer.out)
        assert not picture.findall(".//{http://www.w3.org/2000/svg}script")
    if how == ("--mermaid",):
        assert answer.out.count('"') == 2
        assert "<" not in answer.out


def test_a_plan_with_errors_is_not_drawn(outside: Baton) -> None:
    answer = outside("plan", "show", write(outside, "[plan]\n"), "--svg")
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith("plan.toml:1: error: [plan] name is missing")


# --- how fast, and how light


def test_a_thousand_phases_in_a_few_seconds(outside: Baton) -> None:
    """The bound is many times what it takes on an idle machine (under a second)."""
    file = write(outside, chain_of(1000))
    begun = time.monotonic()
    assert outside.ok("plan", "validate", file)["phases"] == 1000
    assert time.monotonic() - begun < 30


def test_validating_imports_only_what_it_needs(outside: Baton) -> None:
    outside("plan", "new")
    watch = (
        "import sys\nfrom gitbaton.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch, "plan", "validate", "plan.toml", "--offline"],
        cwd=outside.directory,
        env=outside.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stderr.split())
    assert not modules & {"rich", "packaging", "sqlite3", "psutil", "asyncio", "tomlkit"}
    assert {name for name in modules if name.startswith("gitbaton.cli.verbs.")} == {
        "gitbaton.cli.verbs.plan"
    }
