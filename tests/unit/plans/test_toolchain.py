"""What tools say, what is required of them, and the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from gitbaton.core.errors import InvalidInput
from gitbaton.plans.toolchain.probe import ToolProbe
from gitbaton.plans.toolchain.requirements import (
    Found,
    judge,
    parse_requirements,
    shortcomings,
    unmet,
)
from gitbaton.plans.toolchain.versions import read_version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Python 3.11.2", "3.11.2"),
        ("Python 3.13.0rc1", "3.13.0rc1"),
        ("v20.1.0\n", "20.1.0"),
        ("go version go1.22.1 linux/amd64", "1.22.1"),
        ('java version "1.8.0_392"\nJava(TM) SE Runtime', "1.8.0.392"),
        ('openjdk version "17.0.9" 2023-10-17', "17.0.9"),
        ("git version 2.39.3 (Apple Git-146)", "2.39.3"),
        ("git version 2.47.1.windows.1", "2.47.1"),
        ("rustc 1.75.0-nightly (a28077b28 2023-12-28)", "1.75.0"),
        ("Docker version 24.0.7+dfsg1, build afdd53b", "24.0.7"),
        ("systemd 252 (252.22-1~deb12u1)", "252.22"),
        ("tool 7", "7"),
        ("x86_64-linux-gnu", None),
        ("no such command", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_a_version_is_read_from_what_a_tool_says(said: str, version: str | None) -> None:
    assert read_version(said) == (None if version is None else Version(version))


@pytest.mark.parametrize(
    ("required", "found", "met"),
    [
        (">=3.11", "3.11.2", True),
        (">=3.11", "3.9", False),
        (">=20,<21", "20.19.4", True),
        (">=20,<21", "21.0.0", False),
        (">=3.11", "3.13.0rc1", True),
        ("==1.22.*", "1.22.9", True),
        ("*", "0.1", True),
        ("", "0.1", True),
    ],
)
def test_a_verdict(required: str, found: str, met: bool) -> None:
    [verdict] = judge(parse_requirements({"x": required}), {"x": Found(Version(found))})
    assert verdict.met is met
    assert verdict.found == found
    assert (required or "*") in verdict.text and found in verdict.text


def test_a_tool_that_is_missing_or_silent_is_not_met() -> None:
    """I9: what cannot be evaluated counts as not passed."""
    verdicts = judge(parse_requirements({"a": "*", "b": ">=1"}), {"b": Found(None, "is broken")})
    assert shortcomings(verdicts) == (
        "a is not there; * is required",
        "b is broken; >=1 is required",
    )


def test_the_versions_in_a_record_are_judged_alike() -> None:
    versions = {"node": "18.1", "go": "nonsense"}
    assert unmet({"node": ">=18"}, versions) == []
    assert unmet({"node": ">=20", "go": "*", "uv": "*"}, versions) == [
        "go is 'nonsense', which is no version; * is required",
        "node is 18.1; >=20 is required",
        "uv is not there; * is required",
    ]


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"node": "20"}, "toolchain.node"),
        ({"node": ">= twenty"}, "toolchain.node"),
        ({"/bin/sh": "*"}, "toolchain"),
        ({"-x": "*"}, "toolchain"),
        ({"a b": "*"}, "toolchain"),
        ({"node": ">=1," * 100}, "toolchain.node"),
        ({f"t{n}": "*" for n in range(51)}, "toolchain"),
    ],
)
def test_a_bad_requirement_is_refused(table: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_requirements(table)
    assert caught.value.field == field


def program(directory: Path, name: str, text: str) -> None:
    """Make a program that notes that it ran, with its arguments, and does ``text``."""
    path = directory / name
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> {directory}/ran\n{text}\n')
    path.chmod(0o755)


def ran(directory: Path) -> list[str]:
    """The programs that were run, with their arguments."""
    log = directory / "ran"
    return (
        [line.rpartition("/")[2] for line in log.read_text().splitlines()] if log.exists() else []
    )


def test_tools_are_asked_once_each_in_their_own_way(tmp_path: Path) -> None:
    program(tmp_path, "go", "echo go version go1.22.1 x/y")
    program(tmp_path, "java", "echo 'openjdk version \"17.0.9\"' >&2")
    program(tmp_path, "python", "echo Python 3.12.1")  # there is no python3
    probe = ToolProbe({"PATH": f"{tmp_path}"})
    required = parse_requirements({"go": ">=1.22", "java": ">=17", "python": ">=3.13"})
    for _ in range(2):
        assert shortcomings(probe.check(required)) == ("python is 3.12.1; >=3.13 is required",)
    assert sorted(ran(tmp_path)) == ["go version", "java -version", "python --version"]
    probe.forget()
    program(tmp_path, "python", "echo Python 3.13.0")
    assert shortcomings(probe.check(required)) == ()


def test_a_tool_that_hangs_or_fails_is_not_met(tmp_path: Path) -> None:
    program(tmp_path, "node", "exec /bin/sleep 60")
    program(tmp_path, "npm", "echo broken >&2; exit 3")
    probe = ToolProbe({"PATH": str(tmp_path)}, patience=0.2)
    assert probe.find(["node", "npm", "uv"]) == {
        "node": Found(None, "gave no version within 0.2 seconds"),
        "npm": Found(None, "names no version (exit status 3)"),
        "uv": Found(None, "is not on PATH"),
    }


def test_a_plan_cannot_choose_which_program_runs_here(tmp_path: Path) -> None:
    """I8: what comes from elsewhere is data."""
    program(tmp_path, "deploy", "echo deploy 1.0")
    wanted = parse_requirements({"deploy": "*"})
    [verdict] = ToolProbe({"PATH": str(tmp_path)}).check(wanted)
    assert not verdict.met and "does not name it" in verdict.text
    assert ran(tmp_path) == []
    [verdict] = ToolProbe({"PATH": str(tmp_path)}, trusted=["deploy"]).check(wanted)
    assert verdict.met
