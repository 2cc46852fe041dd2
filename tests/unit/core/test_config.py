"""``baton.toml``: what it says, and what it says of mistakes."""

from __future__ import annotations

import pytest

from gitbaton.core.config import Config, ProtectedConfig
from gitbaton.core.config_file import parse_config, parse_protected
from gitbaton.core.errors import InvalidInput

FULL = """
[project]
name = "o/r"
target = "trunk"
[store]
namespace = "refs/heads/agents/"
[queue]
lease = "5m"
timeout = "2h"
[work]
jobs = 4
checks = ["make test"]
[agents.mine]
command = "mine --prompt {prompt}"
env = {A = "1"}
[gates.prod]
approvers = ["ann"]
[land]
allowed = ["branch"]
"""


def test_an_empty_file_is_all_defaults() -> None:
    assert parse_config("") == Config()
    assert parse_protected("") == ProtectedConfig()
    assert Config().queue.lease == 900.0


def test_each_half_takes_its_own_tables() -> None:
    config, protected = parse_config(FULL), parse_protected(FULL)
    assert (config.queue.lease, config.queue.timeout, config.work.jobs) == (300.0, 7200.0, 4)
    assert config.agents["mine"].env == {"A": "1"}
    assert (protected.project.target, protected.land.allowed) == ("trunk", ("branch",))
    assert protected.gates["prod"].approvers == ("ann",)


def test_what_protects_people_has_no_place_in_the_other_half() -> None:
    fields = set(Config.__struct_fields__) & set(ProtectedConfig.__struct_fields__)
    assert fields == set()


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("x", "f.toml", "no TOML"),
        ("[wrk]", "wrk", "'work'"),
        ("[zzz]", "zzz", "known here: agents, commit, gates"),
        ("work = 3", "work", "[work]"),
        ("[queue]\nlaese = '1m'", "queue.laese", "'lease'"),
        ("[queue]\nlease = 3", "queue.lease", "'15m'"),
        ("[queue]\nlease = '3 parsecs'", "queue.lease", "no duration"),
        ("[queue]\nlease = '0s'", "queue.lease", "more than 0"),
        ("[queue]\nmax_attempts = 0", "queue.max_attempts", ">= 1"),
        ("[work]\nland = 'sea'", "work.land", "sea"),
        ("[work]\nchecks = 'make'", "work.checks", "array"),
        ("[agents.a]", "agents.a.command", "required"),
        ("[agents.a]\ncomand = 'x'", "agents.a.comand", "'command'"),
        ("[agents]\na = 3", "agents.a", "[agents.a]"),
        ("[gates.g]\napprovers = [1]", "gates.g.approvers", "str"),
        ("[hooks]\nx = 1", "hooks.x", "[hooks.x]"),
        ("[hooks.x]\ncommand = 'y'", "hooks.x.events", "required"),
        ("[hooks.x]\nevents = ['born']", "hooks.x.events", "born"),
        ("[toolchain]\nnode = 20", "toolchain", "str"),
    ],
)
def test_a_mistake_names_file_and_key(text: str, field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_config(text, "f.toml")
    assert caught.value.field == field
    assert words in caught.value.message
    assert "f.toml" in caught.value.message


def test_a_mistake_elsewhere_does_not_hide_what_protects() -> None:
    text = "[work]\njobs = 'many'\n[gates.g]\napprovers = ['ann']\n"
    assert parse_protected(text).gates["g"].approvers == ("ann",)
    with pytest.raises(InvalidInput, match="gates"):
        parse_protected("[gates.g]\naprovers = []")
