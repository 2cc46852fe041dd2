"""What git's configuration says of http(s): certificates, proxies, headers (mostly pure).

Source: git-config(1) ``http.*``, git's http.c (environment variables win over configuration). A
setting that is not followed to the letter here gives None: plain git knows them all.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.configuration import Configuration

# They steer how libcurl works, and change nothing about what may be sent where.
_INDIFFERENT = {
    *("http.followredirects", "http.getanyfile", "http.lowspeedlimit", "http.lowspeedtime"),
    *("http.keepalivecount", "http.keepaliveidle", "http.keepaliveinterval"),
    *("http.maxrequests", "http.minsessions", "http.noepsv", "http.postbuffer"),
    *("http.receivepack", "http.savecookies", "http.ssltry", "http.uploadpack", "http.version"),
}
_FOLLOWED = {
    *("http.extraheader", "http.proactiveauth", "http.proxy", "http.sslcainfo", "http.sslcapath"),
    *("http.sslcert", "http.sslkey", "http.sslverify", "http.useragent"),
}
_FOREIGN = (  # environment variables of http.c beyond those read below
    "GIT_SSL_VERSION",
    "GIT_SSL_CIPHER_LIST",
    "GIT_SSL_CERT_PASSWORD_PROTECTED",
    "GIT_SSL_CERT_TYPE",
    "GIT_SSL_KEY_TYPE",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_PROXY_SSL_CERT",
    "GIT_PROXY_SSL_KEY",
)
_HEADER = re.compile(r"([A-Za-z0-9-]+): *(\S.*)")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An http proxy; ``authorization`` is the whole header, if it wants one."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How to reach one address. ``unasked``: credentials are sent before the server asks."""

    verify: bool = True
    ca_file: str | None = None
    ca_path: str | None = None
    certificate: str | None = None
    key: str | None = None
    proxy: Proxy | None = None
    agent: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    unasked: bool = False


def read_settings(
    matched: Configuration, everything: Configuration, env: Mapping[str, str], address: WebAddress
) -> WebSettings | None:
    """Return the settings for ``address``; None where there is one that plain git must follow.

    ``matched``: what ``git config --get-urlmatch http`` gives for the address.
    """
    unknown = matched.values.keys() - _INDIFFERENT - _FOLLOWED
    if unknown or any(name in env for name in _FOREIGN):
        return None
    try:
        return WebSettings(
            verify=_verify(matched, env),
            ca_file=_file(matched, env, "http.sslcainfo", "GIT_SSL_CAINFO"),
            ca_path=_file(matched, env, "http.sslcapath", "GIT_SSL_CAPATH"),
            certificate=_file(matched, env, "http.sslcert", "GIT_SSL_CERT"),
            key=_file(matched, env, "http.sslkey", "GIT_SSL_KEY"),
            proxy=_proxy(matched, env, address),
            agent=env.get("GIT_HTTP_USER_AGENT") or matched.last("http.useragent"),
            headers=_headers(matched, everything),
            unasked=_unasked(matched),
        )
    except _Unusual:
        return None


class _Unusual(Exception):
    """A setting that only plain git follows."""


def _verify(matched: Configuration, env: Mapping[str, str]) -> bool:
    if "GIT_SSL_NO_VERIFY" in env:
        return False
    match (matched.last("http.sslverify") or "true").lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
    raise _Unusual


def _unasked(matched: Configuration) -> bool:
    match (matched.last("http.proactiveauth") or "none").lower():
        case "none":
            return False
        case "basic" | "auto":  # auto: whatever the helper offers; only basic is spoken here
            return True
    raise _Unusual


def _file(matched: Configuration, env: Mapping[str, str], name: str, variable: str) -> str | None:
    value = env.get(variable) or matched.last(name)
    if not value:
        return None
    if value.startswith("~/") and "HOME" in env:
        return str(Path(env["HOME"], value[2:]))
    if not value.startswith("/"):
        raise _Unusual
    return value


def _headers(matched: Configuration, everything: Configuration) -> Mapping[str, str]:
    """Return the extra header; with several, which of them apply is git's to say."""
    given = [value for _, value in everything.ending(".extraheader")]
    header = matched.last("http.extraheader")
    if not header:
        return {}
    match = _HEADER.fullmatch(header)
    if len(given) > 1 or match is None:
        raise _Unusual
    return {match[1]: match[2]}


def _proxy(matched: Configuration, env: Mapping[str, str], address: WebAddress) -> Proxy | None:
    value = matched.last("http.proxy")
    if value is None:
        names = ("HTTPS_PROXY", "https_proxy") if address.secure else ("http_proxy",)
        found = (env.get(name) for name in (*names, "ALL_PROXY", "all_proxy"))
        value = next((text for text in found if text), None)
    if not value or _is_exempt(address.host, env.get("NO_PROXY") or env.get("no_proxy") or ""):
        return None
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port or 1080
    except ValueError as error:
        raise _Unusual from error
    if parts.scheme != "http" or not host or (parts.username and parts.password is None):
        raise _Unusual
    authorization = None
    if parts.username:
        authorization = basic(unquote(parts.username), unquote(parts.password or ""))
    return Proxy(host, port, authorization)


def _is_exempt(host: str, entries: str) -> bool:
    for entry in re.split(r"[\s,]+", entries.strip().lower()):
        if "/" in entry or ":" in entry:  # networks and ports: curl's rules differ by version
            raise _Unusual
        name = entry.lstrip(".")
        if entry == "*" or (name and (host == name or host.endswith(f".{name}"))):
            return True
    return False


def basic(user: str, password: str) -> str:
    """Return the value of a header for basic authentication (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
