"""Credentials for http: from the address, else from ``git credential`` (git-credential(1))."""

from __future__ import annotations

import threading

from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.webconfig import basic
from gitbaton.git.runner import Git, GitTimeout


class Login:
    """What we say who we are to one server. Thread-safe.

    As git does, nothing is said before the server asks, but for a password in an https address (who
    wrote it there meant it to be sent), and with ``http.proactiveAuth``: ``unasked``. An https
    server that has asked once will ask again: that is remembered as this very setting, in the
    repository of ``git``, and saves each later command a round trip.
    """

    def __init__(self, git: Git, address: WebAddress, *, unasked: bool = False) -> None:
        self._git, self._address = git, address
        self._lock = threading.Lock()
        self._header: str | None = None
        self._described: str | None = None  # what git credential gave, to be approved or rejected
        self._unasked = unasked
        self._to_remember = False
        if address.secure and address.password is not None:
            self._header = self._from_address()

    def opening(self, deadline: Deadline) -> str | None:
        """Return the value of ``Authorization`` to begin with; None: there is none yet."""
        if self._unasked:
            with self._lock:
                if self._unasked and self._header is None:
                    self._header = self._find(deadline)
                    if self._header is None:  # there are none any more: newer git would insist
                        self._remember(asks=False)
                self._unasked = False
        return self._header

    def answer(self, challenge: str, tried: str | None, deadline: Deadline) -> str | None:
        """Return a header for a server that has just refused ``tried``; None if there is no other.

        ``challenge``: its ``WWW-Authenticate``. Only basic authentication is spoken here.
        """
        if "basic" not in challenge.lower():
            return None
        with self._lock:
            if self._header != tried:  # another call has found one meanwhile
                return self._header
            if tried is not None:
                self._tell("reject")
                self._header = None
                return None
            self._header = self._find(deadline)
            self._to_remember = self._described is not None and self._address.secure
            return self._header

    def accepted(self) -> None:
        """Let git's helpers know, once, that what they gave was right."""
        if self._described is not None:
            with self._lock:
                self._tell("approve")
                if self._to_remember:
                    self._to_remember = False
                    self._remember(asks=True)

    def _find(self, deadline: Deadline) -> str | None:
        return self._ask(deadline) if self._address.password is None else self._from_address()

    def _remember(self, *, asks: bool) -> None:
        """Note in the repository of ``git``, and nowhere else, whether the server asks."""
        name = f"http.{self._address.scheme}://{self._address.authority}/.proactiveAuth"
        words = (name, "basic") if asks else ("--unset", name)
        # Refused when another command writes at this moment: it writes the same.
        self._git.run("config", *words, check=False)

    def _from_address(self) -> str:
        return basic(self._address.user or "", self._address.password or "")

    def _ask(self, deadline: Deadline) -> str | None:
        place = [
            f"protocol={self._address.scheme}",
            f"host={self._address.authority}",
            f"path={self._address.path.lstrip('/')}",
        ]
        if self._address.user:
            place.append(f"username={self._address.user}")
        question = "".join(f"{line}\n" for line in place)
        try:
            done = self._git.run(
                "credential",
                "fill",
                stdin=question.encode() + b"\n",
                timeout=deadline.left(),
                check=False,
            )
        except GitTimeout:
            return None
        found = dict(line.partition("=")[::2] for line in done.text.split("\n"))
        if done.status != 0 or "username" not in found or "password" not in found:
            return None
        self._described = done.text
        return basic(found["username"], found["password"])

    def _tell(self, verb: str) -> None:
        described, self._described = self._described, None
        if described is not None:
            try:
                text = described.encode("utf-8", "surrogateescape") + b"\n\n"
                self._git.run("credential", verb, stdin=text, timeout=30, check=False)
            except GitTimeout:
                return  # a helper that hangs keeps what it had
