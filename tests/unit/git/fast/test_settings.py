"""Git's configuration for ssh and http: followed to the letter, or left to git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.ssh import keeps_connections, ssh_words
from gitbaton.git.fast.webconfig import Proxy, WebSettings, basic, read_settings

HTTPS = WebAddress("https", "git.example.org", 443, "/r.git")
HTTP = WebAddress("http", "git.example.org", 80, "/r.git")


def configured(**values: str | Sequence[str]) -> Configuration:
    """Return settings; an underscore in a name stands for a dot."""
    return Configuration(
        {
            name.replace("_", "."): [value] if isinstance(value, str) else value
            for name, value in values.items()
        }
    )


def settings(
    env: Mapping[str, str] | None = None,
    address: WebAddress = HTTPS,
    everything: Configuration | None = None,
    **values: str,
) -> WebSettings | None:
    matched = configured(**values)
    return read_settings(matched, everything or matched, env or {}, address)


def test_the_output_of_git_config() -> None:
    found = Configuration.parse("core.bare\nfalse\0http.proxy\n\0push.x\0remote.a.url\nx\ny\0")
    assert found.last("core.bare") == "false"
    assert found.last("http.proxy") == ""
    assert found.last("push.x") == ""
    assert found.last("remote.a.url") == "x\ny"
    assert found.last("http.none") is None
    assert list(found.ending(".url", ".bare")) == [
        ("core.bare", "false"),
        ("remote.a.url", "x\ny"),
    ]


@pytest.mark.parametrize(
    ("env", "config", "words"),
    [
        ({}, {}, ["ssh"]),
        ({"GIT_SSH": "/opt/ssh"}, {}, ["/opt/ssh"]),
        ({"GIT_SSH_COMMAND": "ssh -i 'my key'"}, {}, ["ssh", "-i", "my key"]),
        ({}, {"core_sshcommand": ["ssh -1", "ssh -v"]}, ["ssh", "-v"]),
        ({"GIT_SSH": "plink"}, {"core_sshcommand": "ssh -v"}, ["ssh", "-v"]),
        ({"GIT_SSH_COMMAND": "ssh -v"}, {"core_sshcommand": "other"}, ["ssh", "-v"]),
        (
            {"GIT_SSH_COMMAND": "ssh -i ~/.ssh/bot"},
            {},
            ["sh", "-c", 'ssh -i ~/.ssh/bot "$@"', "ssh -i ~/.ssh/bot"],
        ),
        ({"GIT_SSH_VARIANT": "ssh"}, {}, ["ssh"]),
    ],
)
def test_the_users_own_ssh(
    env: Mapping[str, str], config: Mapping[str, str], words: list[str]
) -> None:
    assert ssh_words(env, configured(**config)) == words


@pytest.mark.parametrize(
    "env",
    [
        {"GIT_SSH": "/opt/plink"},
        {"GIT_SSH_COMMAND": "my-wrapper ssh"},
        {"GIT_SSH_COMMAND": "VAR=1 ssh"},
        {"GIT_SSH_COMMAND": "ssh -i 'half"},
        {"GIT_SSH_COMMAND": "ssh -S /tmp/mine"},
        {"GIT_SSH_COMMAND": "ssh -vM"},
        {"GIT_SSH_COMMAND": "ssh -oControlPath=/tmp/mine"},
        {"GIT_SSH_COMMAND": "ssh -o controlmaster=auto"},
        {"GIT_SSH_VARIANT": "simple"},
    ],
)
def test_another_ssh_is_left_to_git(env: Mapping[str, str]) -> None:
    assert ssh_words(env, configured()) is None


SHARED = "user me\ncontrolmaster auto\ncontrolpersist 600\ncontrolpath /home/me/.ssh/%C\n"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (SHARED, True),
        (SHARED.replace("600", "yes"), True),
        (SHARED.replace("600", "no"), False),  # it ends with the command that has made it
        (SHARED.replace("auto", "false"), False),
        (SHARED.replace("/home/me/.ssh/%C", "none"), False),
        ("user me\nport 22\n", False),
        ("", False),
    ],
)
def test_connections_that_the_users_ssh_keeps(said: str, kept: bool) -> None:
    assert keeps_connections(said) is kept


def test_nothing_configured() -> None:
    assert settings() == WebSettings()


def test_what_libcurl_alone_cares_about_changes_nothing() -> None:
    assert settings(http_postbuffer="1", http_lowspeedtime="5", http_version="HTTP/2") == (
        WebSettings()
    )


@pytest.mark.parametrize(
    "name",
    ["http_sslcipherlist", "http_cookiefile", "http_emptyauth", "http_pinnedpubkey", "http_new"],
)
def test_what_is_not_followed_is_left_to_git(name: str) -> None:
    assert settings(None, HTTPS, None, **{name: "x"}) is None


@pytest.mark.parametrize("name", ["GIT_SSL_VERSION", "GIT_HTTP_PROXY_AUTHMETHOD"])
def test_so_is_what_the_environment_says(name: str) -> None:
    assert settings({name: "x"}) is None


def test_certificates() -> None:
    found = settings(
        {"HOME": "/home/ann", "GIT_SSL_CAINFO": "/env/ca.pem"},
        http_sslcainfo="/config/ca.pem",
        http_sslcert="~/cert.pem",
        http_sslkey="/key.pem",
        http_sslverify="false",
    )
    assert found == WebSettings(
        verify=False, ca_file="/env/ca.pem", certificate="/home/ann/cert.pem", key="/key.pem"
    )
    assert settings(http_sslcainfo="relative.pem") is None
    assert settings(http_sslverify="perhaps") is None
    no_verify = settings({"GIT_SSL_NO_VERIFY": "1"}, http_sslverify="true")
    assert no_verify is not None
    assert not no_verify.verify


def test_an_extra_header() -> None:
    found = settings(http_extraheader="Authorization: Basic abc")
    assert found is not None
    assert found.headers == {"Authorization": "Basic abc"}
    assert "abc" not in repr(found)
    cleared = settings(http_extraheader="")
    assert cleared is not None
    assert not cleared.headers
    assert settings(http_extraheader="Authorization:") is None
    two = Configuration({"http.extraheader": ["A: 1"], "http.https://h/.extraheader": ["B: 2"]})
    assert settings(everything=two, http_extraheader="B: 2") is None


def test_a_proxy() -> None:
    def proxy(env: Mapping[str, str], address: WebAddress = HTTPS, **values: str) -> Proxy | None:
        found = settings(env, address, None, **values)
        assert found is not None
        return found.proxy

    squid = Proxy("squid", 3128)
    assert proxy({"https_proxy": "http://squid:3128"}) == squid
    assert proxy({"HTTPS_PROXY": "squid:3128"}) == squid
    assert proxy({"ALL_PROXY": "http://squid:3128/"}) == squid
    assert proxy({"http_proxy": "http://squid:3128"}) is None
    assert proxy({"http_proxy": "http://squid:3128"}, HTTP) == squid
    assert proxy({"HTTP_PROXY": "http://squid:3128"}, HTTP) is None  # curl: CGI's Proxy header
    assert proxy({"https_proxy": "http://other"}, http_proxy="http://squid:3128") == squid
    assert proxy({"https_proxy": "http://other"}, http_proxy="") is None
    assert proxy({}, http_proxy="squid") == Proxy("squid", 1080)
    assert proxy({}, http_proxy="http://me:p%40ss@squid:3128") == Proxy(
        "squid", 3128, basic("me", "p@ss")
    )


@pytest.mark.parametrize(
    ("exempt", "direct"),
    [
        ("*", True),
        ("example.org", True),
        (".example.org", True),
        ("localhost, GIT.example.org", True),
        ("ample.org", False),
        ("localhost", False),
    ],
)
def test_hosts_without_a_proxy(exempt: str, direct: bool) -> None:
    found = settings({"no_proxy": exempt}, http_proxy="http://squid")
    assert found is not None
    assert (found.proxy is None) is direct


@pytest.mark.parametrize(
    "proxy", ["socks5://squid", "https://squid", "http://user@squid", "http://h:port", "http://"]
)
def test_another_proxy_is_left_to_git(proxy: str) -> None:
    assert settings(http_proxy=proxy) is None
    assert settings({"no_proxy": "10.0.0.0/8"}, http_proxy="http://squid") is None


@pytest.mark.parametrize(
    ("value", "unasked"), [("none", False), ("basic", True), ("auto", True), ("Basic", True)]
)
def test_credentials_before_they_are_asked_for(value: str, unasked: bool) -> None:
    found = settings(http_proactiveauth=value)
    assert found is not None
    assert found.unasked is unasked


def test_a_way_to_say_who_one_is_that_is_not_spoken_here() -> None:
    assert settings(http_proactiveauth="digest") is None
