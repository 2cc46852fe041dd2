"""The two ways in which a conversation with a server goes wrong, and what is known then."""

from __future__ import annotations


class Unfit(Exception):
    """The server surely did nothing: plain git may try.

    ``lasting``: it would be so the next time too.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class Lost(Exception):
    """Something may have been sent, and there is no whole answer: the outcome is unknown."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class TookTooLong(Lost):
    """The time was over before there was a whole answer.

    ``sent`` False: before anything of the request had left.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent
