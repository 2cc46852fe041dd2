"""Addresses: taken apart as git does it, or left to git."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.git.fast.address import (
    Address,
    LocalAddress,
    SshAddress,
    WebAddress,
    parse_address,
)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("/srv/r.git", LocalAddress("/srv/r.git")),
        ("/srv/a:b.git", LocalAddress("/srv/a:b.git")),
        ("file:///srv/my%20r.git", LocalAddress("/srv/my r.git")),
        ("file://localhost/srv/r.git", LocalAddress("/srv/r.git")),
        ("git@host:team/r.git", SshAddress("host", "team/r.git", "git")),
        ("host:/srv/r.git", SshAddress("host", "/srv/r.git")),
        ("host:/~ann/r.git", SshAddress("host", "~ann/r.git")),
        ("ssh://host/srv/r.git", SshAddress("host", "/srv/r.git")),
        ("ssh://git@host:2222/~/r.git", SshAddress("host", "~/r.git", "git", 2222)),
        ("ssh://[::1]:22/r%20s.git", SshAddress("::1", "/r s.git", None, 22)),
        ("https://host/team/r.git/", WebAddress("https", "host", 443, "/team/r.git")),
        ("http://h:8080/r", WebAddress("http", "h", 8080, "/r")),
        ("https://me:p%40ss@h/r%20s", WebAddress("https", "h", 443, "/r%20s", "me", "p@ss")),
        ("https://token@h/r", WebAddress("https", "h", 443, "/r", "token")),
    ],
)
def test_what_is_taken(url: str, address: Address) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "r.git",
        "./r.git",
        "../host:r.git",
        "file://elsewhere/r.git",
        "git://host/r.git",
        "ext::sh -c evil",
        "codecommit::eu://r",
        "ftp://host/r.git",
        "[user@host:22]:r.git",
        "-oProxyCommand=x:r.git",
        "ssh://-oProxyCommand=x/r.git",
        "ssh://-x@host/r.git",
        "host:-r.git",
        "ssh://me:secret@host/r.git",
        "ssh://Host/r.git",
        "ssh://host:port/r.git",
        "ssh://host/r?x.git",
        "https://host/r.git?x=1",
        "https://host/r s",
        "https:///r",
        "/a\nb",
    ],
)
def test_what_is_left_to_git(url: str) -> None:
    assert parse_address(url) is None


@given(st.text(max_size=60) | st.from_regex(r"(ssh|https?|file)://[!-~]{0,40}", fullmatch=True))
def test_no_address_becomes_an_option_or_a_second_line(url: str) -> None:
    """I8: what comes from configuration cannot escape into an argument list or a header."""
    match parse_address(url):
        case LocalAddress(path):
            assert path.startswith("/")
        case SshAddress(path=path) as found:
            assert not found.destination.startswith("-")
            assert not path.startswith("-")
            assert found.destination.split() == [found.destination]
        case WebAddress() as found:
            assert found.path.isascii()
            assert found.path.split() in ([], [found.path])
            assert found.host


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(parse_address("https://me:s3cret@host/r.git"))


def test_the_authority_leaves_out_what_goes_without_saying() -> None:
    found = [parse_address(f"https://{a}/r") for a in ("h", "h:443", "h:444", "[::1]:80")]
    shown = [address.authority for address in found if isinstance(address, WebAddress)]
    assert shown == ["h", "h", "h:444", "[::1]:80"]
