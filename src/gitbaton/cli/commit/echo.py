"""Shows what hooks print, line by line and while they run, on standard error."""

from __future__ import annotations

from gitbaton.cli.output import Output


class Echo:
    """Takes output in pieces, as it comes; with ``--quiet`` it is kept until it is wanted."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece, and print the lines that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._output.note(line.decode("utf-8", "replace"))

    def end(self) -> None:
        """Print what came without a final newline."""
        if self._rest:
            self.feed(b"\n")
