"""Writers and readers of one inbox, each a process: ``python -m … write|read|die WORD…``.

The inbox is that of ``BATON_INBOX``; writers reach it by the address that they are given.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.plans.inbox.addresses import parse_destination
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.model import Handle, Response
from gitbaton.plans.inbox.opening import OpenInbox, open_inbox

CLOCK = SystemClock()


def write(address: str, name: str, count: str) -> None:
    """Send ``count`` messages, however often the link breaks, then wait for every response."""
    there = open_inbox(parse_destination(address), os.environ, CLOCK)
    handles = [insist_on_sending(there, name, number) for number in range(int(count))]
    for number, handle in enumerate(handles):
        assert insist_on_response(there, handle).text == f"re: {name} {number}"
    there.close()


def insist_on_sending(there: OpenInbox, name: str, number: int) -> Handle:
    """Send one message until that is confirmed; the same id makes it the same message.

    On the inbox's own machine nothing may fail: no writer ever sees "database is locked".
    """
    draft = make_draft(sender=name, id=str(number), text=f"{name} {number}")
    while True:
        try:
            return there.inbox.send(draft).handle
        except RemoteUnreachable:
            if there.inbox.own:
                raise


def insist_on_response(there: OpenInbox, handle: Handle) -> Response:
    """Ask until there is a response."""
    while True:
        there.bell.arm()
        try:
            response = there.inbox.response(handle)
        except RemoteUnreachable:
            continue
        if response is not None:
            return response
        there.bell.wait(5)


def read(name: str, log: str, stop: str) -> None:
    """Note and answer messages until the file ``stop`` is there."""
    there = open_inbox(parse_destination("."), os.environ, CLOCK, watched=[Path(stop)])
    drain = _drain(there, name, lease=300)
    with open(log, "a", encoding="utf-8") as noted:
        while True:
            message = drain.next_message(timeout=60, should_stop=Path(stop).exists)
            if message is not None:
                noted.write(f"{message.text}\n")
                noted.flush()
                there.inbox.answer(message, f"re: {message.text}")
            elif Path(stop).exists():
                break
    there.close()


def die(name: str, lease: str) -> None:
    """Take a message and be gone."""
    there = open_inbox(parse_destination("."), os.environ, CLOCK)
    message = _drain(there, name, lease=float(lease)).next_message(timeout=30)
    assert message is not None
    os.kill(os.getpid(), signal.SIGKILL)


def _drain(there: OpenInbox, name: str, *, lease: float) -> Drain:
    return Drain(there.inbox, reader=name, boxes={""}, lease=lease, clock=CLOCK, bell=there.bell)


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {"write": write, "read": read, "die": die}
    parts[sys.argv[1]](*sys.argv[2:])
