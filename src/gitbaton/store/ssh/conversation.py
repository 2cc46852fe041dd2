"""One running server and the talk with it: one request, one reply, each within its time."""

from __future__ import annotations

import os
import selectors
import subprocess
from typing import IO, Final

from gitbaton.core.errors import BatonError, Refused, RemoteUnreachable
from gitbaton.git.answers import printable
from gitbaton.git.fast.channel import start_service
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import Lost, Unfit
from gitbaton.git.runner import end_group
from gitbaton.store.ssh import wire
from gitbaton.store.ssh.ways import Way

_BLOCK: Final = 65_536
_NOT_FOUND: Final = (126, 127)  # sh(1): cannot be run, cannot be found
_OLD: Final = "No such command"


class Conversation:
    """A server that has said its greeting. Not for two threads at once.

    Raises RemoteUnreachable, and Refused for another side that is not able to talk.
    """

    def __init__(self, way: Way, deadline: Deadline) -> None:
        self._way = way
        try:
            how = way.prepare(deadline)
        except (Unfit, Lost) as trouble:
            raise RemoteUnreachable(
                f"{way.place}: {trouble.reason}", next=f"ssh {way.place} baton --version"
            ) from trouble
        try:
            self._process, self._errors = start_service(how)
        except OSError as error:
            raise Refused(
                f"{how.argv[0]}: {error.strerror}",
                code="cannot_start",
                next=f"command -v {how.argv[0]}",
            ) from error
        self.owner = os.getpid()
        self._unread = b""
        try:
            os.set_blocking(self._stdin.fileno(), False)
            self._greet(deadline)
        except BaseException:
            self.close()
            raise

    def ask(self, frame: bytes, deadline: Deadline) -> wire.Reply:
        """Send the request in ``frame`` and return the reply.

        Raises Unfit if surely not all of the request was sent, and so nothing done; else Lost.
        After either of them only ``close`` is left.
        """
        self._send(frame, deadline)
        try:
            length = wire.body_length(self._receive(wire.HEADER, deadline))
            return wire.decode_reply(self._receive(length, deadline))
        except wire.Garbled as error:
            raise Lost(f"{self._way.place}: {error}") from error

    def close(self) -> None:
        """End the server's process here; a server elsewhere notices that nobody listens."""
        if self.owner != os.getpid():
            self._process.returncode = 0  # after a fork it is the parent's to wait for
        elif self._process.poll() is None:
            end_group(self._process)
        for stream in (self._stdin, self._stdout, self._errors):
            stream.close()

    def _greet(self, deadline: Deadline) -> None:
        said = b""
        while True:
            try:
                found = wire.find_greeting(said)
            except wire.Garbled as error:
                raise Refused(
                    f"{self._way.place}: {error}",
                    code="old_baton",
                    next="install the same version of gitbaton on both machines",
                ) from error
            if found is not None:
                break
            try:
                block = self._read(deadline)
            except Lost as error:
                raise RemoteUnreachable(error.reason) from error
            if not block:
                raise self._why_it_ended(deadline)
            said += block
        greeting, self._unread = found
        if greeting.protocol != wire.PROTOCOL:
            raise Refused(
                f"{self._way.place} has gitbaton {greeting.version}, which speaks protocol "
                f"{greeting.protocol}; this one speaks {wire.PROTOCOL}",
                code="other_protocol",
                next="install the same version of gitbaton on both machines",
            )

    def _why_it_ended(self, deadline: Deadline) -> BatonError:
        """Return why there was no greeting. Nothing was asked, so nothing was done."""
        place = self._way.place
        try:
            status = self._process.wait(deadline.left())
        except subprocess.TimeoutExpired:
            return RemoteUnreachable(f"{place} said nothing in time")
        words = self._words() or f"it ended with status {status}"
        if not self._way.was_reached(status):
            return RemoteUnreachable(f"{place}: {words}", next=f"ssh {place} baton --version")
        if status in _NOT_FOUND:
            return Refused(
                f"there is no baton on {place}, where ssh looks for it: {words}",
                code="no_baton",
                next=f"install gitbaton there, and see: ssh {place} baton --version",
            )
        if _OLD in words:
            return Refused(
                f"the gitbaton on {place} is too old for this: {words}",
                code="old_baton",
                next="install the same version of gitbaton on both machines",
            )
        return Refused(f"{place}: {words}", code="no_server", next=f"ssh {place} baton --version")

    def _send(self, frame: bytes, deadline: Deadline) -> None:
        left = memoryview(frame)
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdin, selectors.EVENT_WRITE)
            while left:
                # What is left here did not leave: the frame cannot become whole without us.
                if deadline.over() or not ready.select(deadline.left()):
                    raise Unfit(f"{self._way.place} took no request in time", lasting=False)
                try:
                    left = left[os.write(self._stdin.fileno(), left[:_BLOCK]) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    words = self._words() or str(error.strerror)
                    raise Unfit(f"{self._way.place}: {words}", lasting=False) from error

    def _receive(self, size: int, deadline: Deadline) -> bytes:
        parts, missing = [self._unread[:size]], size - len(self._unread[:size])
        self._unread = self._unread[size:]
        while missing:
            block = self._read(deadline)
            if not block:
                words = self._words() or "the connection broke"
                raise Lost(f"{self._way.place}: {words}")
            parts.append(block[:missing])
            missing, self._unread = missing - len(parts[-1]), block[missing:]
        return b"".join(parts)

    def _read(self, deadline: Deadline) -> bytes:
        """Return what has come next, nothing at the end. Raises Lost when the time is over."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdout, selectors.EVENT_READ)
            if deadline.over() or not ready.select(deadline.left()):
                raise Lost(f"{self._way.place} said nothing in time")
        return os.read(self._stdout.fileno(), _BLOCK)

    def _words(self) -> str:
        """Return what it printed for people, as one line."""
        self._errors.seek(0)
        return printable(self._errors.read().decode("utf-8", "replace"))

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout
