"""A repository behind smart http: single requests on connections that are kept open.

Source: gitprotocol-http(5), RFC 9112 (persistent connections). A request that was sent is never
sent again, except a question, what did not leave whole, and what the server has refused to look at.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping, Sequence

from gitbaton.core.ids import Oid
from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.connections import Answer, Connections, Request
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.link import Compose
from gitbaton.git.fast.login import Login
from gitbaton.git.fast.pktline import Garbled, Mark, Packet, decode
from gitbaton.git.fast.receive import AGENT, Report, parse_advertisement, parse_report
from gitbaton.git.fast.refs import encode_ls_refs, parse_listing_v0, parse_ls_refs
from gitbaton.git.fast.trouble import Lost, Stranger, TookTooLong, Unfit, Unsent
from gitbaton.git.fast.webconfig import WebSettings, read_settings
from gitbaton.git.objects import Format
from gitbaton.git.runner import Git

# The server, or a gateway before it, has looked at the head of the request and no further.
_NOT_DONE = frozenset(
    {400, 403, 404, 405, 406, 407, 410, 411, 413, 414, 415, 417, 421, 426, 429, 431, 451}
    | {501, 505, 511}
)
_BUSY = 429
_REPORT = "application/x-git-receive-pack-result"
_V2 = {"Git-Protocol": "version=2"}


def make_web_link(
    git: Git, format: Format, url: str, address: WebAddress, config: Configuration
) -> WebLink | None:
    """Return a link to ``address``; None where its configuration asks for plain git."""
    matched = Configuration.read(git, "--get-urlmatch", "http", url)
    settings = read_settings(matched, config, git.env, address)
    if settings is None:
        return None
    try:
        context = make_context(settings) if address.secure else None
    except (OSError, _WantsPassphrase):
        return None
    login = Login(git, address, unasked=settings.unasked)
    return WebLink(address, settings, Connections(address, settings, context), login, format)


def make_context(settings: WebSettings) -> ssl.SSLContext:
    """Return how TLS is done under ``settings``. Raises OSError for files that are no good."""
    context = ssl.create_default_context(cafile=settings.ca_file, capath=settings.ca_path)
    context.set_alpn_protocols(["http/1.1"])
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key, _refuse_to_ask)
    return context


class WebLink:
    """A ``Link`` to a smart-http server."""

    shows_anyway = False  # it is a request of its own
    is_open = False

    def __init__(
        self,
        address: WebAddress,
        settings: WebSettings,
        connections: Connections,
        login: Login,
        format: Format,
    ) -> None:
        self._path, self._connections = address.path, connections
        self._login, self._format = login, format
        self._headers = {"User-Agent": settings.agent or AGENT, **settings.headers}
        self._speaks_v2: bool | None = None

    def list(self, prefixes: Sequence[str], deadline: Deadline) -> Mapping[str, Oid]:
        if self._speaks_v2 is not False:
            try:
                refs = self._list_v2(prefixes, deadline)
            except (Lost, Garbled) as error:
                known = self._speaks_v2 and not isinstance(error, Stranger)
                if known or isinstance(error, TookTooLong):
                    raise _lost(error) from error
            else:
                self._speaks_v2 = True
                return refs
        # Not one that we recognise as speaking version 2: ask it as every client does.
        try:
            packets = self._discover("git-upload-pack", deadline, _V2)
            if b"version 2\n" in packets:
                raise Lost("the server speaks protocol version 2, and did not answer in it")
            self._speaks_v2 = False
            return parse_listing_v0(packets, prefixes)
        except Garbled as error:
            raise Lost(str(error), lasting=True) from error

    def push(self, compose: Compose, deadline: Deadline, *, look: bool) -> Report | None:
        seen = None
        if look:
            try:
                packets = self._discover("git-receive-pack", deadline, {})
                seen = parse_advertisement(packets)
            except TookTooLong as error:
                raise TookTooLong(error.reason, sent=False) from error
            except (Lost, Garbled) as error:  # only a question was asked
                raise Unfit(str(error), lasting=isinstance(error, Garbled)) from error
        request = compose(seen)
        if request is None:
            return None
        answer = self._command(self._post("git-receive-pack", request, {}), deadline)
        if answer.kind != _REPORT:  # whoever answers so will do it again
            raise Lost(f"an answer of the kind {answer.kind!r}", lasting=True)
        try:
            return parse_report(decode(answer.body))
        except Garbled as error:
            raise Lost(str(error)) from error

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        self._connections.close()

    def _list_v2(self, prefixes: Sequence[str], deadline: Deadline) -> Mapping[str, Oid]:
        request = encode_ls_refs(prefixes, self._format)
        answer = self._question(self._post("git-upload-pack", request, _V2), deadline)
        return parse_ls_refs(_packets(answer, "application/x-git-upload-pack-result"), prefixes)

    def _discover(
        self, service: str, deadline: Deadline, headers: Mapping[str, str]
    ) -> Sequence[Packet]:
        """Return what ``service`` advertises. Raises Unfit, Lost, Garbled."""
        path = f"{self._path}/info/refs?service={service}"
        # A cache on the way must not answer: every look is a new one.
        asked = {"Pragma": "no-cache", "Cache-Control": "no-cache", **headers}
        answer = self._question(Request("GET", path, {**self._headers, **asked}), deadline)
        packets = _packets(answer, f"application/x-{service}-advertisement")
        if packets[-1:] != [Mark.FLUSH]:
            raise Garbled("the advertisement did not arrive whole")
        return packets

    def _post(self, service: str, body: bytes, headers: Mapping[str, str]) -> Request:
        kind = {
            "Content-Type": f"application/x-{service}-request",
            "Accept": f"application/x-{service}-result",
        }
        path = f"{self._path}/{service}"
        return Request("POST", path, {**self._headers, **kind, **headers}, body)

    def _question(self, request: Request, deadline: Deadline) -> Answer:
        """Ask what changes nothing there; once more if a kept connection turned out to be dead."""
        try:
            return self._ask(request, deadline)
        except TookTooLong:
            raise
        except Lost:
            self._connections.close()
            return self._ask(request, deadline)

    def _command(self, request: Request, deadline: Deadline) -> Answer:
        """Ask for what is done once; again only if it surely did not leave whole."""
        try:
            return self._ask(request, deadline)
        except Unsent:
            self._connections.close()
        try:
            return self._ask(request, deadline)
        except Unsent as error:
            raise Unfit(error.reason, lasting=False) from error

    def _ask(self, request: Request, deadline: Deadline) -> Answer:
        """Return the answer to ``request``, with credentials if they are wanted.

        Raises Unfit for one that the server did not process, Lost for one that leaves it open.
        """
        tried = self._login.opening(deadline)
        answer = self._connections.exchange(_signed(request, tried), deadline)
        if answer.status == 401 and "Authorization" not in self._headers:
            header = self._login.answer(answer.challenge, tried, deadline)
            if header is not None:
                tried = header
                answer = self._connections.exchange(_signed(request, tried), deadline)
                if answer.status == 401:
                    self._login.answer(answer.challenge, tried, deadline)
        if answer.status == 200:
            self._login.accepted()
            return answer
        words = f"HTTP {answer.status} {http.client.responses.get(answer.status, '')}".strip()
        if answer.status == 401 or answer.status in _NOT_DONE or 300 <= answer.status < 400:
            raise Unfit(words, lasting=answer.status != _BUSY)
        raise Lost(words)


def _signed(request: Request, authorization: str | None) -> Request:
    return request if authorization is None else request.having("Authorization", authorization)


def _packets(answer: Answer, kind: str) -> list[Packet]:
    """Return what ``answer`` holds. Raises Garbled, Stranger."""
    if not answer.kind.startswith(kind):
        raise Stranger(f"what answers is no git server (it sends {answer.kind or 'no type'})")
    if answer.kind != kind:
        raise Garbled(f"an answer of the kind {answer.kind!r}")
    return decode(answer.body)


def _lost(error: Lost | Garbled) -> Lost:
    return error if isinstance(error, Lost) else Lost(str(error))


class _WantsPassphrase(Exception):
    """The key of a certificate is encrypted; asking for its passphrase is left to git."""


def _refuse_to_ask() -> bytes:
    raise _WantsPassphrase
