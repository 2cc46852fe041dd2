"""``baton store-serve``: the other end of the engine for stores on another host."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from gitbaton import __version__
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import Refused


@verb("store-serve")
@click.option("--inbox", is_flag=True, required=True, help="The inbox of this machine and user.")
def command(request: Request, inbox: bool) -> None:
    """Serve a store of this machine on standard input and output. Called through ssh.

    The caller names no path and no command: there is nothing here but that one store.
    """
    from gitbaton.plans.inbox.opening import open_own_store
    from gitbaton.store.ssh.serving import serve
    from gitbaton.store.ssh.wire import Garbled

    if sys.stdin.isatty():
        raise Refused("this is for other machines", code="no_client", next="baton inbox list")
    store = open_own_store(request.env, SystemClock())
    try:
        with _streams() as (source, sink):
            serve(store, source, sink, version=__version__)
    except Garbled as error:
        raise Refused(
            f"the client says something else: {error}",
            code="garbled",
            next="install the same version of gitbaton on both machines",
        ) from error
    except OSError:
        return  # the client does not listen any more
    finally:
        store.close()


@contextmanager
def _streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Take standard input and output away from everything else: a stray word would be a reply."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    with open(source, "rb") as reading, open(sink, "wb") as writing:
        yield reading, writing
