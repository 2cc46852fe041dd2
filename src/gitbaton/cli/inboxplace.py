"""Which inbox an address means, and who reads what in the place that we are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from gitbaton.cli.request import Request
from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.git.repository import Clone
from gitbaton.plans.inbox.addresses import Destination, parse_destination
from gitbaton.plans.inbox.opening import OpenInbox, home, open_inbox
from gitbaton.plans.inbox.rules import boxes
from gitbaton.plans.registry.record import decode_worker, worker_key
from gitbaton.workspace.identity import Identity


@contextmanager
def opened(
    request: Request, destination: Destination, clock: Clock, files: tuple[Path, ...] = ()
) -> Iterator[OpenInbox]:
    """Give the inbox at ``destination``; ``files``: that ring its bell too."""
    there = open_inbox(destination, request.env, clock, watched=files)
    try:
        yield there
    finally:
        there.close()


def find_inbox(request: Request, text: str) -> Destination:
    """Return what an address means, workers of the clone that we are in included."""
    return parse_destination(text, partial(_find_worker, request))


def _find_worker(request: Request, name: str) -> Destination | None:
    """Return where the worker ``name`` is; None where nobody knows one of that name."""
    if "@" in name or ":" in name or _clone(request) is None:
        return None
    key = worker_key(name)
    try:
        record = request.app.store.read(key).records.get(key)
        address = None if record is None else decode_worker(key, record.value).address
    except BatonError as error:
        request.output.detail(f"baton: workers are not known: {error.message}")
        return None
    if address is None:
        return None
    return replace(parse_destination(address.text), program=address.program)


def reader_name(request: Request, clock: Clock) -> str:
    """Return who acts: the agent named in the environment, or the user on this machine."""
    return Identity(request.env, {}, clock.origin).claimant().agent


def boxes_here(request: Request) -> frozenset[str]:
    """Return the boxes of who reads here: the machine's, and that of the clone we are in."""
    clone = _clone(request)
    place = None if clone is None else PurePosixPath(clone.resolve())
    return boxes(place, PurePosixPath(home(request.env).resolve()))


def _clone(request: Request) -> Path | None:
    try:
        return Clone.find(request.directory, request.env).top
    except BatonError:
        return None
