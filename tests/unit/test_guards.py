"""The guards of the test suite can fail."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from tests.guards import fingerprint, left_behind
from tests.hermetic import MARK, hermetic_environment


def test_a_process_that_was_left_behind_is_found_and_ended() -> None:
    run = secrets.token_hex(8)
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        env={**os.environ, MARK: run},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        found = left_behind(run, grace=0.0)
        assert [line.split(":")[0] for line in found] == [str(process.pid)]
    assert process.returncode == -9


def test_a_touched_home_is_seen(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    (tmp_path / ".gitconfig").write_text("[user]\n")
    assert fingerprint(tmp_path) != before


def test_the_environment_knows_nothing_of_the_user(tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "GIT_DIR": "/x",
        "GIT_SSL_CAINFO": "/y",
        "BATON_TOKEN": "t",
        "SSH_AUTH_SOCK": "/z",
        "https_proxy": "http://proxy",
    }
    env = hermetic_environment(base, tmp_path / "home")
    assert env["PATH"] == "/bin"
    assert env["HOME"] == str(tmp_path / "home")
    assert not {"GIT_DIR", "GIT_SSL_CAINFO", "BATON_TOKEN", "SSH_AUTH_SOCK", "https_proxy"} & set(
        env
    )
