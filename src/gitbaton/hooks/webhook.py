"""Posts an event to an address: certificates verified, no redirect followed, a bound in time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from gitbaton import __version__
from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.webconfig import Proxy, read_settings
from gitbaton.hooks.event import Event, encode_event, slack_body
from gitbaton.hooks.failure import DeliveryFailed
from gitbaton.hooks.hook import Webhook

_AGAIN: Final = frozenset({408, 425, 429})  # of 4xx; and all 5xx
_NOTHING: Final = Configuration({})


def post(webhook: Webhook, event: Event, *, timeout: float, env: Mapping[str, str]) -> None:
    """Post ``event`` to ``webhook``. Raises DeliveryFailed unless the answer is 2xx in time.

    A redirect is no success: the address is a secret, and is told to nobody else. Proxies are
    those of ``env``. No error has the address in it.
    """
    body = slack_body(event) if webhook.form == "slack" else encode_event(event)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"gitbaton/{__version__}",
        "X-Baton-Event": event.event,
        "X-Baton-Event-Id": event.id,
    }
    connection, target, more = _connect(webhook.url, timeout, env)
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):  # it has just ended by itself
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    # The socket's own limit is for each read: a server that drips would hold us for ever.
    timer = threading.Timer(timeout, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", target, body, {**headers, **more})
        status = connection.getresponse().status
        if late.is_set():
            raise TimeoutError  # cut off in the middle of the headers, which may go unnoticed
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(_explain(error, webhook, timeout, late=late.is_set())) from None
    finally:
        timer.cancel()
        connection.close()
    if not 200 <= status < 300:
        what = "a redirect, which is not followed" if 300 <= status < 400 else "no success"
        lasting = status < 500 and status not in _AGAIN
        raise DeliveryFailed(f"{webhook.shown} answered {status}: {what}", lasting=lasting)


def _connect(
    url: str, timeout: float, env: Mapping[str, str]
) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    """Return a connection, what to ask for on it, and headers for a proxy that stands between."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    proxy = _proxy(WebAddress(parts.scheme, host, port, ""), env)
    to = (proxy.host, proxy.port) if proxy else (host, port)
    pass_on = {"Proxy-Authorization": proxy.authorization or ""} if proxy else {}
    pass_on = {name: value for name, value in pass_on.items() if value}
    if secure:
        tls = ssl.create_default_context()
        connection = http.client.HTTPSConnection(*to, timeout=timeout, context=tls)
        if proxy:
            connection.set_tunnel(host, port, pass_on)
        return connection, target, {}
    plain = http.client.HTTPConnection(*to, timeout=timeout)
    if proxy:
        return plain, f"http://{parts.netloc}{target}", pass_on
    return plain, target, {}


def _proxy(address: WebAddress, env: Mapping[str, str]) -> Proxy | None:
    settings = read_settings(_NOTHING, _NOTHING, env, address)
    if settings is None:
        raise DeliveryFailed("the proxy that the environment names cannot be used here")
    return settings.proxy


def _explain(error: Exception, webhook: Webhook, timeout: float, *, late: bool) -> str:
    if late or isinstance(error, TimeoutError):
        return f"{webhook.shown} gave no answer within {timeout:g} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{webhook.shown}: its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return f"{webhook.shown}: {error.strerror}"
    return f"{webhook.shown}: no answer that can be read ({type(error).__name__})"
