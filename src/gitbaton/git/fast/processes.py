"""The link that starts one service process for each call: git's services here, or through ssh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.git.fast.channel import Channel, Invocation
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.link import Compose
from gitbaton.git.fast.pktline import Decoder, Garbled, Mark, Packet, decode_start
from gitbaton.git.fast.receive import (
    Advertisement,
    Report,
    parse_advertisement,
    parse_report,
    require_welcome,
)
from gitbaton.git.fast.refs import encode_ls_refs, parse_session
from gitbaton.git.fast.spare import Spares
from gitbaton.git.fast.trouble import Lost, Unfit
from gitbaton.git.objects import Format

_AHEAD = 5.0  # seconds to open a channel that nobody waits for

Service: TypeAlias = Literal["git-receive-pack", "git-upload-pack"]


class Starter(Protocol):
    """Knows how to start a service of one repository.

    ``is_far``: starting one takes round trips, so that it may be worth doing ahead of time.
    """

    is_far: bool

    def prepare(self, service: Service, deadline: Deadline, *, version: int = 0) -> Invocation:
        """Return how to start ``service``, asking for protocol ``version``. Raises Unfit, Lost."""
        ...

    def ended_itself(self, status: int | None) -> bool:
        """Tell whether an exit status is the service's own, and all that it said has arrived."""
        ...

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        """See ``Link.environment``."""
        ...

    def close(self) -> None:
        """See ``Link.close``."""
        ...


class ProcessLink:
    """A ``Link`` over the standard input and output of service processes."""

    shows_anyway = True  # receive-pack says it first, and ssh passes nothing on before it is there

    def __init__(self, starter: Starter, format: Format) -> None:
        self._starter, self._format = starter, format
        self._spares = Spares()

    @property
    def is_open(self) -> bool:
        return self._spares.is_there

    def list(self, prefixes: Sequence[str], deadline: Deadline) -> Mapping[str, Oid]:
        request = encode_ls_refs(prefixes, self._format) + Mark.FLUSH.value
        with Channel(self._starter.prepare("git-upload-pack", deadline, version=2)) as channel:
            said = channel.finish(request, deadline)
            try:
                # What an older server says after its listing is about our command.
                return parse_session(_packets(said), prefixes)
            except Garbled as error:
                raise _lost(channel, said, error) from error

    def push(self, compose: Compose, deadline: Deadline, *, look: bool) -> Report | None:
        request = None if look else compose(None)
        if not look and request is None:
            return None
        spare = None if look else self._spares.take()
        with spare or self._open(deadline) as channel:
            seen: Sequence[Packet] = ()
            if request is None:
                seen, shown = self._look(channel, deadline)
                request = compose(shown)
                if request is None:
                    channel.finish(Mark.FLUSH.value, deadline)
                    return None
            said = channel.finish(request, deadline)
            report = self._report(channel, said, seen)
        if self._starter.is_far:
            self._spares.pushed(lambda: self._open(Deadline(_AHEAD)))
        return report

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return self._starter.environment(deadline)

    def close(self) -> None:
        self._spares.close()
        self._starter.close()

    def _open(self, deadline: Deadline) -> Channel:
        return Channel(self._starter.prepare("git-receive-pack", deadline))

    def _look(self, channel: Channel, deadline: Deadline) -> tuple[Sequence[Packet], Advertisement]:
        """Return what the server says first, as it came and read. Raises Unfit, TookTooLong."""
        try:
            seen = channel.read_section(deadline)
            require_welcome(seen)
            if Mark.FLUSH not in seen:  # nothing has been sent: nothing can have been done
                raise Unfit(channel.words or "the server hung up", lasting=False)
            return seen, parse_advertisement(seen)
        except Garbled as error:
            raise Unfit(f"{error} {channel.words}".strip(), lasting=True) from error

    def _report(self, channel: Channel, said: bytes, seen: Sequence[Packet]) -> Report:
        """Return what ``said`` reports; what comes behind the report's end does not count."""
        decoded, garbled = decode_start(said)
        packets = [*seen, *decoded]
        require_welcome(packets)
        try:
            if Mark.FLUSH in packets:
                return parse_report(packets[packets.index(Mark.FLUSH) + 1 :])
        except Garbled as error:
            raise _lost(channel, said, garbled or error) from error
        if garbled is None and self._starter.ended_itself(channel.status):
            # It ended before its first words were out, and it takes commands only after them.
            raise Unfit(channel.words or "the server hung up", lasting=False)
        raise _lost(channel, said, garbled or Garbled("the advertisement did not arrive whole"))


def _lost(channel: Channel, said: bytes, error: Garbled) -> Lost:
    # Every service begins with a short packet. Other words are a login shell's: it will say them
    # again the next time.
    spoke = said.startswith(b"00") or not said
    return Lost(channel.words or str(error), lasting=not spoke)


def _packets(data: bytes) -> list[Packet]:
    """Return the whole packets in ``data``; a packet that was cut off at the end is dropped."""
    return Decoder().feed(data)
