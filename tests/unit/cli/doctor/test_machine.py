"""How the machine is judged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from gitbaton.cli.doctor.finding import Level
from gitbaton.cli.doctor.machine import examine_disk, examine_machine, examine_ssh


class Usage(NamedTuple):
    """As ``shutil.disk_usage`` returns it."""

    total: int
    used: int
    free: int


def program(directory: Path, name: str, text: str) -> None:
    """Make a program that prints ``text``."""
    (directory / name).write_text(f"#!/bin/sh\necho '{text}'\n")
    (directory / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("git version 2.30.9", Level.PROBLEM),
        ("git version 2.31.0", Level.OK),
        ("git version 2.39.3 (Apple Git-146)", Level.OK),
        ("git version 3.0", Level.OK),
        ("something else", Level.NOTE),
    ],
)
def test_the_version_of_git(tmp_path: Path, version: str, level: Level) -> None:
    program(tmp_path, "git", version)
    found = {f.subject: f.level for f in examine_machine({"PATH": f"{tmp_path}:/usr/bin:/bin"})}
    assert found == {"baton": Level.OK, "python": Level.OK, "git": level}


@pytest.mark.parametrize(
    "url",
    ["git@host:me/it.git", "ssh://host/it.git", "git+ssh://host/it", "host:it"],
)
def test_ssh_is_looked_for_where_it_is_needed(url: str, tmp_path: Path) -> None:
    [missing] = examine_ssh(url, {"PATH": str(tmp_path)})
    assert missing.level is Level.PROBLEM
    program(tmp_path, "ssh", "")
    [there] = examine_ssh(url, {"PATH": str(tmp_path)})
    assert there.level is Level.OK


@pytest.mark.parametrize(
    "url", ["https://host/it.git", "/srv/it.git", "file:///srv/it", "../it", "C:/it", "ext::cmd x"]
)
def test_ssh_is_not_asked_for_elsewhere(url: str, tmp_path: Path) -> None:
    assert list(examine_ssh(url, {"PATH": str(tmp_path)})) == []


@pytest.mark.parametrize(
    ("free", "level"),
    [(5_000_000, Level.PROBLEM), (500_000_000, Level.WARNING), (5_000_000_000, Level.OK)],
)
def test_disk_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**12, 0, free))
    [finding] = examine_disk(tmp_path / "not" / "yet", tmp_path)
    assert (finding.subject, finding.level) == ("disk", level)
