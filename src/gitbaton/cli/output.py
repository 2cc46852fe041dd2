"""The only place that prints.

With ``--json`` standard output gets one JSON document (or one object a line, for verbs that
follow something); without, text for people. Everything else goes to standard error. Text comes
from tasks, agents and remotes: what could steer a terminal is made visible first (I8).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO, TypeAlias

import msgspec
from msgspec import Struct

from gitbaton.cli.pathtext import quoted

Cell: TypeAlias = str | tuple[str, str]
"""Text, or text and a style such as ``green``."""

PLAIN_WIDTH = 80
_ENDLESS = 1_000_000  # columns: nobody reads a pipe on a screen
_BIDI = "\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")
_SURROGATE = re.compile("[\udc80-\udcff]")  # a byte, of what Python could not decode (PEP 383)
_UNSAFE_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDI}]")


class AnswerLost(Exception):
    """Standard output does not take the answer (a full disk); what was asked for may be done."""


class ReaderGone(AnswerLost):
    """Whoever read standard output has stopped, as ``head`` does."""


def neutralise(text: str) -> str:
    """Return ``text`` with everything that could steer a terminal written as ``\\x1b``."""
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return ``text`` neutralised and on one line."""
    return neutralise(" ".join(text.split()))


def encode_json(document: object) -> str:
    """Return ``document`` as JSON on one line, free of characters that steer terminals."""
    try:
        text = msgspec.json.encode(document).decode()
    except UnicodeEncodeError:  # a word of the command line or of the system that is no Unicode
        text = msgspec.json.encode(_unicode(document)).decode()
    return _UNSAFE_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _unicode(value: Any) -> Any:
    """Return ``value`` with text that is no Unicode quoted, as paths are (see ``pathtext``)."""
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return {_unicode(key): _unicode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode(item) for item in value]
    if isinstance(value, str) and _SURROGATE.search(value):
        return quoted(value.encode("utf-8", "surrogateescape"))
    return value


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Output(Struct):
    """Where the answer goes, and how. The flags are set while the command line is parsed."""

    stdout: TextIO
    stderr: TextIO
    env: Mapping[str, str]
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool = True

    def answer(self, document: object, human: Callable[[Output], None]) -> None:
        """Print the answer of a verb: ``document`` under ``--json``, else what ``human`` says."""
        if self.json:
            self.document(document)
        else:
            human(self)

    def document(self, document: object) -> None:
        """Print ``document`` as one line of JSON, which is UTF-8 in every locale (RFC 8259)."""
        text = encode_json(document) + "\n"
        if hasattr(self.stdout, "buffer"):
            self.raw_bytes(text.encode())
        else:
            self.raw(text)

    def say(self, text: str = "") -> None:
        """Print lines for people to standard output."""
        self.raw(neutralise(text) + "\n")

    def hint(self, text: str) -> None:
        """Print what to do next. Not with ``--quiet``."""
        if not self.quiet:
            self.say(text)

    def note(self, text: str) -> None:
        """Tell people something on standard error. Not with ``--quiet``."""
        if not self.quiet:
            self.complain(text)

    def detail(self, text: str) -> None:
        """Tell people more on standard error, with ``--verbose`` only."""
        if self.verbose:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Print to standard error, always."""
        try:
            self.stderr.write(neutralise(text) + "\n")
            self.stderr.flush()
        except OSError:  # nobody is listening, or nothing more fits: the exit status still says it
            silence(self.stderr)

    def raw(self, text: str) -> None:
        """Write ``text`` as it is: a script, or what was made safe before. Raises AnswerLost."""
        with _delivering():
            self.stdout.write(text)
            self.stdout.flush()

    def raw_bytes(self, data: bytes) -> None:
        """Write ``data`` as it is: what somebody asked to get unchanged. Raises AnswerLost."""
        with _delivering():
            self.stdout.flush()
            self.stdout.buffer.write(data)
            self.stdout.buffer.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Print a table that fits the terminal; elsewhere nothing is cut.

        The last column gives way when it is too wide; the others are never cut.
        """
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        terminal = self.stdout.isatty()
        colored = terminal and self.color and not self.env.get("NO_COLOR")
        console = Console(
            file=self.stdout,
            width=None if terminal else _ENDLESS,
            color_system="auto" if colored else None,
            force_terminal=colored,
            markup=False,
            highlight=False,
            emoji=False,
            _environ=dict(self.env),
        )
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        room = console.width
        for number, name in enumerate(columns[:-1]):
            width = max(len(name), *(_length(row[number]) for row in rows), 0)
            table.add_column(name, no_wrap=True, min_width=width)
            room -= width + 2
        room = max(room, len(columns[-1]), 1)
        table.add_column(columns[-1], no_wrap=True, overflow="ellipsis", max_width=room)
        for row in rows:
            table.add_row(*(_styled(Text, cell) for cell in row))
        with console.capture() as captured:
            console.print(table)
        self.raw("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _length(cell: Cell) -> int:
    return len(one_line(cell if isinstance(cell, str) else cell[0]))


def _styled(text: Any, cell: Cell) -> Any:
    words, style = (cell, "") if isinstance(cell, str) else cell
    return text(one_line(words), style=style)


@contextmanager
def _delivering() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise AnswerLost(error.strerror) from error


def silence(stream: TextIO) -> None:
    """Point ``stream`` at nothing: what it could not write is not tried again at the very end."""
    with suppress(OSError):  # no file of the system's is behind it
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def standard_output(env: Mapping[str, str]) -> Output:
    """Return the output on this process's own streams, which never fail to encode."""
    _fill_gaps()
    stdout, stderr = _opened(sys.stdout, 1), _opened(sys.stderr, 2)
    for stream in (stdout, stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    return Output(stdout, stderr, env)


def _fill_gaps() -> None:
    """Open nothing where a standard file is closed, as git does (setup.c, sanitize_stdfds).

    Else the next file that is opened would take its number, and be written to by mistake.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest number


def _opened(stream: TextIO | None, number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", closefd=False) if stream is None else stream
