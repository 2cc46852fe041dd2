"""A small git protocol client that says exactly what it is told to, right or wrong.

Stock git clients hide the traps of the push protocol; this one walks into them. It serves as an
independent oracle too: it shares no code with gitbaton. Sources: gitprotocol-common(5) (pkt-line),
gitprotocol-pack(5) (receive-pack), gitprotocol-v2(5) (ls-refs), gitprotocol-http(5).
"""

from __future__ import annotations

import http.client
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

FLUSH = b"0000"
DELIM = b"0001"
ZERO = "0" * 40
EMPTY_PACK = bytes.fromhex("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e")


@dataclass(frozen=True)
class Command:
    """One line of a push: ``old new ref``, sent as it is."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True)
class Advertisement:
    """What receive-pack says first."""

    refs: Mapping[str, str]
    capabilities: frozenset[str]


def pkt(data: bytes) -> bytes:
    """Frame ``data`` as one pkt-line."""
    return b"%04x%s" % (len(data) + 4, data)


def read_pkt(stream: IO[bytes]) -> bytes | None:
    """Return the next pkt-line's content; None for flush, delimiter and the end."""
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError("the server hung up")
    size = int(head, 16)
    return stream.read(size - 4) if size >= 4 else None


def read_section(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield pkt-lines up to the next flush."""
    while (line := read_pkt(stream)) is not None:
        yield line


def pack(repository: Path, new: Sequence[str], *, without: Sequence[str] = ()) -> bytes:
    """Return a pack of everything that ``new`` reach in ``repository`` and ``without`` do not."""
    revisions = "\n".join([*new, *(f"^{oid}" for oid in without)]) + "\n"
    done = subprocess.run(
        ["git", "-C", str(repository), "pack-objects", "--revs", "--stdout", "-q"],
        input=revisions.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout


def push_request(
    commands: Sequence[Command], packed: bytes, *, capabilities: Sequence[str]
) -> bytes:
    """Return the bytes of a whole push."""
    lines = [f"{c.old} {c.new} {c.ref}".encode() for c in commands]
    lines[0] += b"\0" + " ".join(capabilities).encode()
    needs_pack = any(c.new.strip("0") for c in commands)
    return b"".join(map(pkt, lines)) + FLUSH + (packed if needs_pack else b"")


def parse_report(lines: Sequence[bytes]) -> dict[str, str]:
    """Return ``unpack`` and each ref with ``ok`` or the server's reason."""
    report = {}
    for line in lines:
        word, _, rest = line.decode().rstrip("\n").partition(" ")
        if word == "unpack":
            report["unpack"] = rest
        elif word == "ok":
            report[rest] = "ok"
        elif word == "ng":
            ref, _, reason = rest.partition(" ")
            report[ref] = reason
    return report


@dataclass
class Channel:
    """A conversation with one git service process, here or behind ssh."""

    process: subprocess.Popen[bytes]
    out: IO[bytes] = field(init=False)
    into: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.into, self.out = self.process.stdin, self.process.stdout

    def send(self, data: bytes) -> None:
        """Send ``data`` now."""
        self.into.write(data)
        self.into.flush()

    def close(self) -> None:
        """Hang up and wait for the process."""
        for stream in (self.into, self.out):
            try:
                stream.close()
            except BrokenPipeError:
                continue
        self.process.wait()


def open_channel(
    service: str, url: str, *, env: Mapping[str, str] | None = None, version: int = 0
) -> Channel:
    """Start ``service`` (``receive-pack``, ``upload-pack``) for a path or an ssh:// address."""
    full = {**os.environ, **(env or {})}
    if version:
        full["GIT_PROTOCOL"] = f"version={version}"
    if url.startswith("ssh://"):
        parts = urlsplit(url)
        ssh = shlex.split(full.get("GIT_SSH_COMMAND", "ssh"))
        where = f"{parts.username}@{parts.hostname}"
        remote = f"git-{service} {shlex.quote(unquote(parts.path))}"
        argv = [*ssh, "-o", "SendEnv=GIT_PROTOCOL", "-p", str(parts.port), where, remote]
    else:
        argv = ["git", service, url]
    return Channel(
        subprocess.Popen(
            argv,
            env=full,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    )


class ReceivePack:
    """One push session; the advertisement is read at once, the push sent when told."""

    def __init__(self, url: str, *, env: Mapping[str, str] | None = None) -> None:
        self._channel = open_channel("receive-pack", url, env=env)
        self.advertised = parse_advertisement(read_section(self._channel.out))

    def push(
        self,
        commands: Sequence[Command],
        packed: bytes = EMPTY_PACK,
        *,
        capabilities: Sequence[str] = ("report-status",),
    ) -> dict[str, str]:
        """Send the commands and return the report; the session is over then."""
        self._channel.send(push_request(commands, packed, capabilities=capabilities))
        try:
            return parse_report(list(read_section(self._channel.out)))
        finally:
            self._channel.close()

    def close(self) -> None:
        """Leave without pushing anything."""
        self._channel.send(FLUSH)
        self._channel.close()


def parse_advertisement(lines: Iterator[bytes]) -> Advertisement:
    """Read receive-pack's first section."""
    refs: dict[str, str] = {}
    capabilities: frozenset[str] = frozenset()
    for line in lines:
        text, nul, caps = line.rstrip(b"\n").partition(b"\0")
        if nul:
            capabilities = frozenset(caps.decode().split())
        oid, _, ref = text.decode().partition(" ")
        if ref != "capabilities^{}":
            refs[ref] = oid
    return Advertisement(refs, capabilities)


def post_push(
    url: str,
    commands: Sequence[Command],
    packed: bytes = EMPTY_PACK,
    *,
    capabilities: Sequence[str] = ("report-status",),
) -> dict[str, str]:
    """Push by one smart-HTTP request, without having asked for the refs first."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Content-Type": "application/x-git-receive-pack-request"}
    if parts.username:
        headers["Authorization"] = _basic(parts.username, parts.password or "")
    body = push_request(commands, packed, capabilities=capabilities)
    try:
        connection.request("POST", f"{parts.path}/git-receive-pack", body, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ConnectionError(f"HTTP {answer.status}")
    return parse_report(list(read_section(BytesIO(data))))


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


class UploadPack:
    """A protocol-v2 session that can be asked for refs again and again."""

    def __init__(self, url: str, *, env: Mapping[str, str] | None = None) -> None:
        self._channel = open_channel("upload-pack", url, env=env, version=2)
        self.capabilities = [ln.decode().rstrip() for ln in read_section(self._channel.out)]

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Return the refs that start with one of ``prefixes``, as this session sees them."""
        asked = b"".join(pkt(f"ref-prefix {prefix}\n".encode()) for prefix in prefixes)
        self._channel.send(pkt(b"command=ls-refs\n") + DELIM + asked + FLUSH)
        pairs = (ln.decode().rstrip().split(" ")[:2] for ln in read_section(self._channel.out))
        return {ref: oid for oid, ref in pairs}

    def close(self) -> None:
        """End the session."""
        self._channel.close()
