"""Which addresses the fast transport takes, and their parts (pure).

As git's connect.c reads them. What it does not take for sure is None: plain git knows more forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"(?:(?P<user>[^@/:\[\]\s]+)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<path>.+)")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_USER = re.compile(r"[^\s@/:\[\]-][^\s@/:\[\]]*")


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """A repository at an absolute ``path`` on this machine."""

    path: str


@dataclass(frozen=True, slots=True)
class SshAddress:
    """A repository at ``path``, as the shell of ``user`` on ``host`` understands it."""

    host: str
    path: str
    user: str | None = None
    port: int | None = None

    @property
    def destination(self) -> str:
        """What ssh is given as the place to go to."""
        return f"{self.user}@{self.host}" if self.user else self.host


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A repository behind http or https. ``path`` stands in requests as it is, still encoded."""

    scheme: str
    host: str
    port: int
    path: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header: without the port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


Address: TypeAlias = LocalAddress | SshAddress | WebAddress

_PORTS = {"http": 80, "https": 443}


def parse_address(url: str) -> Address | None:
    """Return the parts of ``url``; None for every form that is not surely understood here."""
    if not url.isprintable():
        return None
    if "://" not in url:
        return _parse_path(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host, user = parts.hostname or "", parts.username
    if "?" in url or "#" in url or host not in parts.netloc:  # (an upper-case letter in the host)
        return None
    if parts.scheme == "file":
        return _local(unquote(parts.path)) if host in ("", "localhost") else None
    if not _HOST.fullmatch(host):
        return None
    if parts.scheme == "ssh" and parts.password is None:
        return _ssh(host, unquote(parts.path), unquote(user) if user else None, port)
    if parts.scheme in _PORTS and parts.path.isascii() and " " not in parts.path:
        return WebAddress(
            parts.scheme,
            host,
            port or _PORTS[parts.scheme],
            parts.path.rstrip("/"),
            unquote(user) if user else None,
            unquote(parts.password) if parts.password is not None else None,
        )
    return None


def _parse_path(url: str) -> Address | None:
    if url.startswith("/"):
        return _local(url)
    match = _SCP.fullmatch(url)
    if match is None or "::" in url:  # a remote helper's own address
        return None
    return _ssh(match["host"], match["path"], match["user"], None)


def _local(path: str) -> LocalAddress | None:
    return LocalAddress(path) if path.startswith("/") else None


def _ssh(host: str, path: str, user: str | None, port: int | None) -> SshAddress | None:
    if path.startswith("/~"):  # ssh://host/~user/repository
        path = path[1:]
    if not path or path.startswith("-") or (user and not _USER.fullmatch(user)):
        return None
    return SshAddress(host, path, user, port)
