"""One authenticated ssh connection that many channels share, and that ends with its owner.

It is a master in the sense of ssh_config(5) ``ControlMaster``, with a socket in a private
directory. A shell stays with it as its guardian, at the other end of a pipe that only this process
holds: when the pipe closes, because we say so or because this process has died in whatever way,
the guardian ends the connection and removes the directory.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from gitbaton.git.answers import printable
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import TookTooLong, Unfit
from gitbaton.git.runner import end_group

_IDLE = 600  # seconds until a connection that nobody uses ends by itself: two heartbeats
_LONGEST_SOCKET = 80  # of the 104 bytes that some systems allow, ssh needs 17 more
_UNREACHED = re.compile(
    r"Connection (?:refused|timed out|closed|reset)|No route to host|Network is unreachable"
    r"|Could not resolve hostname|Operation timed out|Connection to \S+ port \d+ timed out"
)

# $1 connects, $2 hangs up, $3 is the directory. In the background, so that whoever kills our
# children (a job that is cancelled, a container that goes down) leaves it time to hang up. Who was
# killed while it connected reads no status: that must not end it before it has hung up.
_GUARDIAN = """\
exec 3<&0
{
  eval "$1" < /dev/null > /dev/null 2> "$3/said"
  status=$?
  trap '' PIPE
  echo $status
  read -r _ <&3
  eval "$2" < /dev/null > /dev/null 2>&1
  rm -rf "$3"
} &
"""


class Master:
    """A connection. ``words``: the beginning of a command that opens a channel on it."""

    def __init__(self, words: Sequence[str], path: Path, pipe: IO[bytes]) -> None:
        self.words, self._path = words, path
        self.end = weakref.finalize(self, pipe.close)

    @staticmethod
    def start(
        words: Sequence[str],
        place: Sequence[str],
        env: Mapping[str, str],
        directory: Path,
        deadline: Deadline,
    ) -> Master:
        """Connect to ``place`` with the ssh command ``words``, run in ``directory`` with ``env``.

        Raises Unfit, and TookTooLong with nothing sent.
        """
        private = _private_directory()
        shared = [*words, f"-oControlPath={private / 's'}"]
        # It returns when it is authenticated and listens, and goes on in the background.
        how = ["-oControlMaster=yes", f"-oControlPersist={_IDLE}", "-f", "-N", "-T"]
        connect, hang_up = [*shared, *how, *place], [*shared, "-Oexit", *place]
        try:
            guardian = subprocess.Popen(
                ["sh", "-c", _GUARDIAN, "sh", *map(shlex.join, (connect, hang_up)), str(private)],
                cwd=directory,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(private, ignore_errors=True)
            raise Unfit(f"sh: {error.strerror}", lasting=True) from error
        pipe = _wait_for(guardian, private, deadline)
        return Master([*shared, "-oControlMaster=no"], private / "s", pipe)

    def listens(self) -> bool:
        """Tell whether the connection is still there, without asking the other side."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._path))
            except OSError:
                return False
        return True


def _wait_for(guardian: subprocess.Popen[bytes], private: Path, deadline: Deadline) -> IO[bytes]:
    """Return the pipe that keeps the connection, once it is there. Raises Unfit, TookTooLong."""
    assert guardian.stdin is not None and guardian.stdout is not None
    try:
        with guardian.stdout as heard:
            status = _read_status(heard.fileno(), deadline)
        if status != "0":
            said = (private / "said").read_text(errors="replace")
            words = printable(said) or f"ssh ended with status {status}"
            raise Unfit(words, lasting=_UNREACHED.search(words) is None)
    except BaseException as error:
        guardian.stdin.close()
        if not isinstance(error, Unfit):  # it may be connecting still
            end_group(guardian)
            shutil.rmtree(private, ignore_errors=True)
        raise
    finally:
        guardian.wait()  # the guardian itself is in the background
    return guardian.stdin


def _read_status(source: int, deadline: Deadline) -> str:
    status = b""
    with selectors.DefaultSelector() as ready:
        ready.register(source, selectors.EVENT_READ)
        while not status.endswith(b"\n"):
            if deadline.over() or not ready.select(deadline.left()):
                raise TookTooLong("ssh made no connection in time", sent=False)
            block = os.read(source, 64)
            if not block:
                break
            status += block
    return status.decode().strip()


def _private_directory() -> Path:
    """Make a directory of our own whose name is short enough for a socket in it."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        if len(parent) + len("/baton-12345678/s") <= _LONGEST_SOCKET and "%" not in parent:
            try:
                return Path(tempfile.mkdtemp(prefix="baton-", dir=parent))
            except OSError:
                continue
    raise Unfit("there is no place for a socket with a short name", lasting=True)
