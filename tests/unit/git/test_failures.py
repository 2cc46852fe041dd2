"""What git says when a remote cannot be used, and which error it becomes."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.git.failures import (
    RepositoryDamaged,
    RepositoryMissing,
    failure,
    is_passing,
    nothing_was_sent,
    shown,
)

HINT = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct "
    "access rights\nand the repository exists.\n"
)
MISSING = "there is no repository at https://host/r.git, or it is hidden from you"


@pytest.mark.parametrize(
    ("stderr", "kind", "unsent"),
    [
        (f"git@host: Permission denied (publickey).\n{HINT}", HostRefused, True),
        (f"Host key verification failed.\n{HINT}", HostRefused, True),
        ("fatal: Authentication failed for 'https://host/r.git/'", HostRefused, True),
        (
            "fatal: could not read Username for 'https://host': terminal prompts disabled",
            HostRefused,
            True,
        ),
        (
            "fatal: unable to access 'https://host/r/': The requested URL returned error: 403",
            HostRefused,
            True,
        ),
        ("error: RPC failed; HTTP 403 curl 22 The requested URL returned", HostRefused, True),
        (f"ERROR: Permission to a/b.git denied to c.\n{HINT}", HostRefused, True),
        (f"fatal: '/x' does not appear to be a git repository\n{HINT}", RepositoryMissing, True),
        ("fatal: repository 'https://host/r.git/' not found", RepositoryMissing, True),
        (f"ERROR: Repository not found.\n{HINT}", RepositoryMissing, True),
        (
            f"ssh: Could not resolve hostname nowhere: Name or service not known\n{HINT}",
            RemoteUnreachable,
            True,
        ),
        (f"ssh: connect to host h port 22: Connection refused\n{HINT}", RemoteUnreachable, True),
        (
            "fatal: unable to access 'http://h/': Failed to connect to h port 80",
            RemoteUnreachable,
            True,
        ),
        ("fatal: the remote end hung up upon initial contact", RemoteUnreachable, True),
        ("fatal: the remote end hung up unexpectedly", RemoteUnreachable, False),
        ("error: RPC failed; HTTP 502 curl 22", RemoteUnreachable, False),
        ("error: RPC failed; curl 56 Recv failure: Connection reset", RemoteUnreachable, False),
        ("Timeout, server h not responding.\nfatal: sha1 write", RemoteUnreachable, False),
        ("", RemoteUnreachable, False),
    ],
)
def test_each_text_has_its_error(stderr: str, kind: type[Exception], unsent: bool) -> None:
    error = failure(stderr, "https://host/r.git")
    assert type(error) is kind
    assert error.next
    assert nothing_was_sent(stderr) is unsent
    assert is_passing(error) is (kind is RemoteUnreachable)


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        (f"fatal: '/x' does not appear to be a git repository\n{HINT}", MISSING),
        ("fatal: repository 'https://host/r.git/' not found", MISSING),
        (f"ERROR: Repository not found.\n{HINT}", MISSING),
        (f"remote: Repository not found.\n{HINT}", MISSING),
        (
            f"remote: The project you were looking for could not be found.\n{HINT}",
            f"{MISSING}: The project you were looking for could not be found.",
        ),
        (
            f"ssh: connect to host h port 22: Connection refused\n{HINT}",
            "https://host/r.git cannot be reached: ssh: connect to host h port 22: "
            "Connection refused",
        ),
        (
            HINT,
            "https://host/r.git cannot be reached: fatal: Could not read from remote repository. "
            "Please make sure you have the correct access rights and the repository exists.",
        ),
        ("", "https://host/r.git cannot be reached: git said nothing"),
    ],
)
def test_nothing_is_said_twice(stderr: str, message: str) -> None:
    assert failure(stderr, "https://host/r.git").message == message


def test_a_hook_cannot_make_us_believe_that_nothing_was_sent() -> None:
    stderr = (
        "remote: fatal: Could not read from remote repository.\n"
        "fatal: the remote end hung up unexpectedly\n"
    )
    assert not nothing_was_sent(stderr)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:pw@host:8443/a/b.git", "https://host:8443/a/b.git"),
        ("https://ghp_token@host/a", "https://host/a"),
        ("ssh://git:pw@host/a", "ssh://git@host/a"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("/srv/r.git", "/srv/r.git"),
        ("file:///srv/r.git", "file:///srv/r.git"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, told: str) -> None:
    assert shown(url) == told


def test_an_error_names_no_secret() -> None:
    url = "https://user:pw@host/r.git"
    error = failure(f"fatal: unable to access '{url}': Could not resolve host: host", url)
    assert "pw" not in error.message
    assert "https://host/r.git" in error.message


@pytest.mark.parametrize(
    "stderr",
    [
        "fatal: bad object refs/heads/main",
        f"fatal: bad config line 6 in file ./config\n{HINT}",
        "fatal: git upload-pack: not our ref 0000000000000000000000000000000000000000",
        "error: object file ./aa/bb is empty\nfatal: loose object aabb (stored in x) is corrupt",
        "fatal: error in object: /r did not send all necessary objects",
    ],
)
def test_damage_is_not_taken_for_a_network_that_is_away(stderr: str) -> None:
    error = failure(stderr, "/r")
    assert type(error) is RepositoryDamaged
    assert stderr.splitlines()[-1 if "loose" in stderr else 0] in error.message
    assert error.next is not None and "fsck" in error.next and "network" not in error.next


def test_what_a_hook_prints_is_no_damage() -> None:
    said = "remote: fatal: bad object refs/heads/main\nfatal: the remote end hung up unexpectedly"
    assert type(failure(said, "/r")) is RemoteUnreachable
