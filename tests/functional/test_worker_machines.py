"""Machines are added, examined and listed, over a real sshd."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitbaton.app import open_app
from gitbaton.core.clock import ManualClock
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.registry.registry import Registry
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.plans.registry.watching import Watch
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor
from tests.functional.baton import SOURCE, Answer, Baton
from tests.servers.ports import free_port
from tests.servers.site import BareRepository, Site

Clones = Callable[[str], Baton]


def program(directory: Path, text: str, *, name: str = "baton") -> str:
    """Make a program and return its path."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def few_programs(directory: Path) -> str:
    """Return a PATH with git and python alone: asking every tool of a desk takes its time."""
    directory.mkdir()
    git = shutil.which("git")
    assert git is not None
    (directory / "git").symlink_to(git)
    (directory / "python3").symlink_to(sys.executable)
    return str(directory)


class There:
    """A machine behind ssh: a clone of its own, and a baton."""

    def __init__(self, site: Site, here: Baton, clone: Baton, directory: Path) -> None:
        self.here = here.acting(**site.env)
        path = few_programs(directory / "bin")
        self.clone = clone.acting(PATH=path)
        url = site.address(Path("/x"), site.port)
        self.host = url.removesuffix("/x")
        self.program = program(
            directory,
            f'export PYTHONPATH={SOURCE} PATH={path}\nexec {sys.executable} -m gitbaton.cli "$@"',
        )

    def __call__(self, verb: str, *words: str) -> Answer:
        """Run ``baton worker VERB HOST`` here for that machine; ``words`` go last and win."""
        usual = ["--path", str(self.clone.directory), "--program", self.program]
        return self.here("worker", verb, self.host, *usual, *words, "--json")

    def problems(self, answer: Answer) -> list[tuple[str, str]]:
        """The problems in an answer of the doctor."""
        return [
            (finding["subject"], finding["text"])
            for finding in answer.json["findings"]
            if finding["level"] == "problem"
        ]


@pytest.fixture
def there(ssh_remotes: Site, clones: Clones, tmp_path: Path) -> There:
    return There(ssh_remotes, clones("here"), clones("there"), tmp_path)


def test_a_machine_is_examined_added_and_listed(there: There) -> None:
    visit = there("doctor")
    assert visit.status == 0, visit
    levels = {finding["subject"]: finding["level"] for finding in visit.json["findings"]}
    assert {"ssh", "git", "baton", "clone", "capabilities", "clock"} <= set(levels)
    survey = visit.json["survey"]
    assert survey["clone"] == str(there.clone.directory)
    assert set(survey["toolchain"]) == {"git", "python"}
    added = there("add", "--name", "rack-7")
    assert (added.status, added.json["worker"]) == (0, "rack-7")
    assert added.json["address"] == f"{there.host}{there.clone.directory}"
    for clone in (there.here, there.clone):  # both see the same registry
        [worker] = clone.ok("worker", "list")["workers"]
        assert (worker["name"], worker["state"], worker["slots"]) == ("rack-7", "absent", 1)
        assert worker["toolchain"] == survey["toolchain"]
    table = there.here("worker", "list").out
    assert "rack-7" in table and "absent" in table and "never" in table
    by_name = there.here("worker", "doctor", "rack-7")
    assert (by_name.status, "no problem" in by_name.out) == (0, True)
    again = there("add", "--name", "rack-7")
    assert again.status == 0, "adding again changes how it is reached"
    assert len(there.here.ok("worker", "list")["workers"]) == 1


def test_a_host_that_is_not_there(there: There) -> None:
    there.host = f"ssh://nobody@127.0.0.1:{free_port()}"
    visit = there("doctor")
    assert visit.status == 1
    [(subject, text)] = there.problems(visit)
    assert subject == "ssh" and "cannot be reached" in text
    refused = there("add")
    assert (refused.status, refused.error["code"]) == (1, "not_fit")
    assert there.here.ok("worker", "list")["workers"] == []


@pytest.mark.parametrize(
    ("text", "subject", "words"),
    [
        (None, "baton", "there is no /"),
        ("echo 'Error: No such command worker' >&2; exit 2", "baton", "No such command"),
        ('echo "{\\"survey\\": {\\"machine\\": 1}}"', "baton", "cannot be read"),
        ("echo hello", "baton", "hello"),
    ],
)
def test_a_machine_without_a_baton_that_we_understand(
    there: There, tmp_path: Path, text: str | None, subject: str, words: str
) -> None:
    path = str(tmp_path / "none") if text is None else program(tmp_path, text, name="old")
    [problem] = there.problems(there("doctor", "--program", path))
    assert problem[0] == subject and words in problem[1]


def test_a_machine_that_lies_is_not_believed(there: There, tmp_path: Path) -> None:
    """I8: what another machine says of itself is data."""
    survey = there.clone.ok("worker", "doctor")["survey"]
    survey["machine"] = "x\u001b]0;owned\u0007"
    (tmp_path / "survey.json").write_text(json.dumps({"findings": [], "survey": survey}))
    liar = program(tmp_path, f"cat {tmp_path}/survey.json", name="liar")
    [problem] = there.problems(there("doctor", "--program", liar))
    assert problem[0] == "baton" and "\x1b" not in problem[1]


def test_a_machine_without_the_clone(there: There, tmp_path: Path) -> None:
    [(subject, text)] = there.problems(there("doctor", "--path", str(tmp_path / "nowhere")))
    assert subject == "clone" and "nowhere" in text


def test_a_path_with_a_space_and_a_quote_is_one_word_there(there: There, tmp_path: Path) -> None:
    """I8: nothing of it reaches the shell as anything else."""
    odd = tmp_path / "it's $(touch owned) here"
    there.clone.directory.rename(odd)
    assert there("doctor", "--path", str(odd)).status == 0
    assert not list(tmp_path.rglob("owned"))


def test_a_toolchain_that_is_not_met(there: There) -> None:
    (there.clone.directory / "baton.toml").write_text('[toolchain]\npython = ">=99"\n')
    visit = there("doctor")
    [(subject, text)] = there.problems(visit)
    assert subject == "toolchain" and text.endswith("; >=99 is required")
    assert visit.json["survey"]["unmet"] == [text]
    here = there.clone("worker", "doctor", "--json")
    assert (here.status, there.problems(here)) == (1, [(subject, text)])


@pytest.mark.parametrize("host", ["-oProxyCommand=true", "a b", "h;true", "ssh://h:22/path"])
def test_what_is_no_host(there: There, host: str) -> None:
    answer = there.here("worker", "doctor", "--json", "--", host)
    assert (answer.status, answer.error["code"]) == (2, "invalid")


def test_without_a_remote_there_is_no_fleet(baton: Baton, tmp_path: Path) -> None:
    baton = baton.acting(PATH=few_programs(tmp_path / "bin"))
    visit = baton("worker", "doctor", "--json")
    assert visit.status == 1
    [problem] = [f for f in visit.json["findings"] if f["level"] == "problem"]
    assert problem["subject"] == "clone" and problem["next"].startswith("baton init")
    assert baton.ok("worker", "list") == {"workers": [], "others": [], "damaged": {}}
    assert "no worker is known" in baton("worker", "list").out


@contextmanager
def joining(clone: Baton) -> Iterator[Registry]:
    """Open the registry from a clone, as `worker serve` does."""
    app = open_app(clone.directory, clone.environment())
    clock = ManualClock()
    watch = Watch(MemoryStore(clock=clock), clock, "remote")
    yield Registry(app.store, clock, watch, Actor("w"))
    app.close()


def test_who_works_without_being_announced_is_listed_by_its_claims(baton: Baton) -> None:
    """`baton work` is in no registry: its names would pile up there."""
    for task in ("t1", "t2", "free"):
        baton.ok("add", task, "--id", task)
    baton.acting(BATON_AGENT="ada").ok("claim", "t1")
    claim = baton.ok("show", "t1")["claim"]
    listed = baton.ok("worker", "list")
    assert listed["workers"] == []
    assert listed["others"] == [
        {"worker": claim["worker"], "machine": claim["machine"], "tasks": ["t1"]}
    ]
    shown = baton("worker", "list").out
    assert f"{claim['worker']} on {claim['machine']} works unannounced: t1" in shown


def test_workers_are_listed_as_they_say_they_are(
    clones: Clones, file_remote: BareRepository
) -> None:
    one, two = clones("one"), clones("two")
    reason = "node is 18.1.0; >=20 is required"
    with joining(one) as registry:
        refusing = WorkerRecord(name="w1", machine="m1", reason=reason, capabilities=("gpu",))
        registry.announce(refusing)
        post = registry.announce(WorkerRecord(name="w2", machine="m2", slots=3))
        before = len(file_remote.refs())
        for _ in range(3):
            registry.beat(post, Vitals(busy=["t1"], load=0.5))
        assert len(file_remote.refs()) == before
    first, second = two.ok("worker", "list")["workers"]
    assert (first["name"], first["state"], first["reason"]) == ("w1", "refusing", reason)
    assert (second["state"], second["busy"], second["slots"]) == ("serving", ["t1"], 3)
    table = two("worker", "list").out
    assert f"w1 takes no tasks: {reason}" in table
    assert "1/3" in table and "gpu" in table
    assert "serving, silent" in table, "its clock stands at the beginning of the year"
    history = file_remote.git("log", "--format=%s", "refs/baton/workers/w2").splitlines()
    assert history == ["renew: worker w2", "serve: worker w2"], "beats replace each other"
