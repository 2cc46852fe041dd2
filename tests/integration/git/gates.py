"""A server hook that stops where a test wants it, until the test lets it go on."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.site import BareRepository

_LONG = 30.0  # seconds; only a broken test waits so long


class Gate:
    """Two named pipes: the hook tells that it has arrived, and waits to be let through."""

    def __init__(self, directory: Path) -> None:
        self._arrived, self._go = directory / "arrived", directory / "go"
        for pipe in (self._arrived, self._go):
            os.mkfifo(pipe)
        # Open for both, so that neither side ever waits for the other one to open.
        self._arrived_end = os.open(self._arrived, os.O_RDWR)
        self._go_end = os.open(self._go, os.O_RDWR)

    def shell(self) -> str:
        """Return the shell commands that tell and wait."""
        return f"echo here >{self._arrived}\nread _ <{self._go}"

    def wait(self) -> None:
        """Wait until the hook has arrived; raise TimeoutError when it does not."""
        ready, _, _ = select.select([self._arrived_end], [], [], _LONG)
        if not ready:
            raise TimeoutError("the hook was not run")
        os.read(self._arrived_end, 100)

    def open(self) -> None:
        """Let the hook go on, now or when it arrives."""
        os.write(self._go_end, b"go\n")

    def close(self) -> None:
        """Take the pipes away; a hook that comes later finds none and goes on."""
        self._arrived.unlink()
        self._go.unlink()
        os.close(self._arrived_end)
        os.close(self._go_end)


@contextmanager
def stopping(server: BareRepository, hook: str, *, state: str = "") -> Iterator[Gate]:
    """Stop ``server``'s ``hook`` (for ``reference-transaction``: in ``state``) in the block.

    Only the first call stops: the gate is taken away behind it.
    """
    gate = Gate(server.path)
    script = server.path / "hooks" / hook
    condition = f'[ "$1" = {state} ]' if state else "true"
    server.hook(hook, f'if {condition}; then rm -f "{script}"\n{gate.shell()}\nfi')
    try:
        yield gate
    finally:
        gate.open()
        gate.close()
