"""A conversation with one git service process, here or at the other end of ssh."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from gitbaton.git.answers import printable
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.pktline import NO, Decoder, Mark, Packet
from gitbaton.git.fast.trouble import TookTooLong, Unfit
from gitbaton.git.runner import end_group

_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a service is started: its words, its whole environment, and where."""

    argv: Sequence[str]
    env: Mapping[str, str]
    directory: Path


def start_service(how: Invocation) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start a service that talks over pipes; return it, and the file that takes its errors.

    Raises OSError when it cannot be started.
    """
    # A file, not a pipe: nobody reads it before the end, and a full pipe would stop everything.
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - whoever ends the service closes it
    try:
        process = subprocess.Popen(
            list(how.argv),
            cwd=how.directory,
            env=dict(how.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            start_new_session=True,
        )
    except BaseException:
        errors.close()
        raise
    return process, errors


class Channel:
    """One running service; leaving the block ends it, whatever it is doing."""

    def __init__(self, how: Invocation) -> None:
        try:
            self._process, self._errors = start_service(how)
        except OSError as error:
            raise Unfit(f"{how.argv[0]}: {error.strerror}", lasting=True) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, whatever it is doing."""
        if self._process.poll() is None:
            end_group(self._process)
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status; negative: the signal that ended it; None while it runs."""
        return self._process.returncode

    @property
    def words(self) -> str:
        """What it printed for people, as one line."""
        self._errors.seek(0)
        return printable(self._errors.read().decode("utf-8", "replace"))

    def read_section(self, deadline: Deadline) -> list[Packet]:
        """Return the packets up to the next flush; nothing has been sent so far.

        Fewer, without the flush, if the service ended before or says that it will not go on.
        Raises Garbled, TookTooLong.
        """
        assert self._process.stdout is not None
        decoder, packets, ended = Decoder(), list[Packet](), False
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while not ended:
                if deadline.over() or not ready.select(deadline.left()):
                    raise TookTooLong("the server said nothing in time", sent=False)
                data = os.read(self._process.stdout.fileno(), _BLOCK)
                if not data:
                    self._wait(deadline)
                    break
                new = decoder.feed(data)
                packets += new
                ended = any(map(_ends_section, new))
        return packets

    def finish(self, request: bytes, deadline: Deadline) -> bytes:
        """Send ``request``, read to the end, wait for the process; return what it said.

        Raises Lost for a service that goes on when the time is over, unless what it has said so
        far ends in a flush: then that is all that matters, and it is returned.
        """
        try:
            said, _ = self._process.communicate(request, timeout=deadline.left())
        except subprocess.TimeoutExpired as error:
            said = error.output or b""
            if not said.endswith(Mark.FLUSH.value):
                raise TookTooLong("the answer did not come in time", sent=True) from error
        return said

    def _wait(self, deadline: Deadline) -> None:
        try:
            self._process.wait(deadline.left())
        except subprocess.TimeoutExpired as error:
            words = "the server closed the conversation and did not end it"
            raise TookTooLong(words, sent=False) from error


def _ends_section(packet: Packet) -> bool:
    return packet is Mark.FLUSH if isinstance(packet, Mark) else packet.startswith(NO)
