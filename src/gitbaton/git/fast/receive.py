"""What is said to receive-pack and what it says: advertisement, request, report (pure).

Source: gitprotocol-pack(5) "Reference Discovery", "Pushing Data To a Server" and "Report Status",
gitprotocol-capabilities(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.answers import printable
from gitbaton.git.fast.pktline import NO, Garbled, Mark, Packet, decode, encode, split_bands
from gitbaton.git.fast.trouble import Declined, Unfit
from gitbaton.git.objects import Format
from gitbaton.git.remote import RefUpdate

AGENT = "git/gitbaton"
"""How we are called: hosts look for "git/" to tell git clients from browsers."""

# Whoever does not know one of these ignores it, so they may be asked for without a look. Two kinds
# of report: the newer one is sent where both are known.
_HARMLESS = ("report-status", "report-status-v2", "side-band-64k", "quiet")


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What receive-pack says first. ``others``: commits it has besides those of its refs."""

    refs: Mapping[str, Oid]
    capabilities: Mapping[str, str]
    others: frozenset[Oid] = frozenset()

    def can(self, capability: str) -> bool:
        """Tell whether the server lists ``capability``."""
        return capability in self.capabilities

    @property
    def format(self) -> str:
        """The object format of the repository there."""
        return self.capabilities.get("object-format", "sha1")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a push in the server's words; ``said`` is what hooks and the host printed.

    ``unpack``: "ok", or what was wrong with the pack. ``refs``: None for done, else the reason.
    """

    unpack: str
    refs: Mapping[str, str | None]
    said: str = ""


def parse_advertisement(packets: Sequence[Packet]) -> Advertisement:
    """Return the advertisement that ``packets`` (to its flush) hold. Raises Garbled, Declined.

    The line ``version 1`` and the first line of smart http are passed over.
    """
    refs: dict[str, Oid] = {}
    others: set[Oid] = set()
    capabilities: dict[str, str] = {}
    for packet in packets:
        if isinstance(packet, Mark):
            continue
        if packet.startswith(NO):
            raise _declined(packet)
        line, nul, words = packet.rstrip(b"\n").partition(b"\0")
        if line.startswith((b"version 1", b"# service=", b"shallow ")):
            continue
        if nul:
            capabilities = dict(_pair(w) for w in words.decode("utf-8", "replace").split())
        oid, space, name = line.decode("utf-8", "surrogateescape").partition(" ")
        if not space or not is_oid(oid):
            raise Garbled(f"{line[:60]!r} advertises no ref")
        if name == ".have":
            others.add(Oid(oid))
        elif name != "capabilities^{}":
            refs[name] = Oid(oid)
    if not capabilities:
        raise Garbled("an advertisement without capabilities")
    return Advertisement(refs, capabilities, frozenset(others))


def require_welcome(packets: Sequence[Packet]) -> None:
    """Raise Declined for a server that says no in place of its advertisement."""
    for packet in packets:
        if packet is Mark.FLUSH:
            return
        if isinstance(packet, bytes) and packet.startswith(NO):
            raise _declined(packet)


def _declined(packet: bytes) -> Declined:
    return Declined(printable(packet.removeprefix(NO).decode("utf-8", "replace")).strip())


def choose_capabilities(
    seen: Advertisement | None, format: Format, *, atomic: bool
) -> tuple[str, ...]:
    """Return what to ask for: without an advertisement only what nobody minds being asked.

    Raises Unfit when ``seen`` shows a server that this transport has no use for, and
    ValueError for ``atomic`` where it does not list that: such a wish would be ignored in silence.
    """
    named = (*_HARMLESS, f"object-format={format}", f"agent={AGENT}")
    if seen is None:
        if atomic:
            raise ValueError("an atomic push to a server that was not looked at")
        return named
    if seen.format != format:
        raise Unfit(f"the repository there is a {seen.format} one", lasting=True)
    if not (seen.can("report-status") or seen.can("report-status-v2")):
        raise Unfit("the server does not report what becomes of a push", lasting=True)
    if atomic and not seen.can("atomic"):
        raise ValueError("an atomic push to a server that does not list it")
    listed = tuple(word for word in named if seen.can(_pair(word)[0]))
    return (*listed, "atomic") if atomic else listed


def encode_request(
    updates: Sequence[RefUpdate], capabilities: Sequence[str], pack: bytes, format: Format
) -> bytes:
    """Return the bytes of a whole push. ``pack`` is left out where everything is deleted."""
    zero = "0" * (40 if format == "sha1" else 64)
    lines = [f"{u.old or zero} {u.new or zero} {u.ref}".encode() for u in updates]
    lines[0] += b"\0" + " ".join(capabilities).encode()
    creates = any(update.new is not None for update in updates)
    commands = b"".join(encode(line) for line in lines)
    return commands + Mark.FLUSH.value + (pack if creates else b"")


def parse_report(packets: Sequence[Packet]) -> Report:
    """Return the report in ``packets``. Raises Garbled unless it is there to its end."""
    primary, said = split_bands(packets)
    try:
        inner = decode(primary)
    except Garbled as error:
        raise Garbled(f"the report is broken: {error}") from error
    if Mark.FLUSH not in inner:
        raise Garbled("the report did not arrive whole")
    unpack = ""
    refs: dict[str, str | None] = {}
    for packet in inner[: inner.index(Mark.FLUSH)]:
        word, _, rest = _text(packet).partition(" ")
        if word == "unpack":
            unpack = rest
        elif word == "ok":
            refs[rest] = None
        elif word == "ng":
            ref, _, reason = rest.partition(" ")
            refs[ref] = reason or "refused"
        elif word != "option":  # of report-status-v2: what a proc-receive hook made of a ref
            raise Garbled(f"{word!r} is no word of a report")
    if not unpack:
        raise Garbled("a report that does not say what became of the pack")
    return Report(unpack, refs, said)


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _text(packet: Packet) -> str:
    return "" if isinstance(packet, Mark) else packet.decode("utf-8", "replace").rstrip("\n")
