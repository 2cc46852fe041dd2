"""The ways in which a conversation with a server goes wrong, and what is known then.

``Unfit``: nothing was done, and plain git may try. ``Lost``: nobody knows.
"""

from __future__ import annotations


class Unfit(Exception):
    """The server surely did nothing: plain git may try.

    ``lasting``: it would be so the next time too.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class Declined(Unfit):
    """The server said no in words of its own (``reason``), before it took any command."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, lasting=False)


class Lost(Exception):
    """Something may have been sent, and there is no whole answer: the outcome is unknown."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class Unsent(Lost):
    """The connection broke before the whole request had left: nothing can have come of it."""


class Stranger(Lost):
    """What answered is no git server: a gateway's login page, or a directory of files."""


class TookTooLong(Lost):
    """The time was over before there was a whole answer.

    ``sent`` False: before anything of the request had left.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent
