"""How configuration and signers are judged."""

from __future__ import annotations

import pytest

from gitbaton.cli.doctor.project import check_signers, find_differences
from gitbaton.core.config_file import parse_protected

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHrp4wL0kOZ4QdHjX3dEoVfnXbqvJ4zRY0pA0lEJvKQl"


@pytest.mark.parametrize(
    "text",
    [
        f"ada@example.org {KEY}\n",
        f"# people\n\nada@example.org,grace@example.org {KEY} a comment\n",
        f'ada@example.org namespaces="gitbaton",valid-after="20260101" {KEY}\n',
    ],
)
def test_good_signers(text: str) -> None:
    assert check_signers(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nobody"),
        ("# nobody yet\n", "nobody"),
        (f"ada@example.org {KEY}\nada@example.org\n", "line 2"),
        ("ada@example.org ssh-ed25519 not-base64!\n", "line 1"),
        (f"ada@example.org {KEY.replace('ed25519', 'rsa')}\n", "line 1"),
        (f"{KEY}\n", "line 1"),
        ("<<<<<<< ours\n", "line 1"),
    ],
)
def test_signers_that_cannot_be_used(text: str, words: str) -> None:
    [wrong] = check_signers(text)
    assert words in wrong


def test_differences_are_named_by_key() -> None:
    here = parse_protected('[gates.prod]\napprovers = ["me"]\n[land]\nchecks = ["true"]\n')
    there = parse_protected('[gates.prod]\napprovers = ["ada"]\n[land]\nchecks = ["true"]\n')
    assert find_differences(here, there) == ["gates.prod.approvers"]
    assert find_differences(here, here) == []
    assert find_differences(parse_protected(""), here) == ["gates.prod.approvers", "land.checks"]
