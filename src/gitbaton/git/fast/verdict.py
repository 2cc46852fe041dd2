"""Who won: what an advertisement settles before anything is sent, and what a report says (pure).

The server decides; this only reads its words, by the same rules as the output of ``git push``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitbaton.git.answers import UP_TO_DATE, judge, printable, rejected_there
from gitbaton.git.fast.receive import Advertisement, Report
from gitbaton.git.remote import PushState, RefResult, RefUpdate

NO_ATOMIC = "the host takes no atomic pushes"

# The server lacked an object, or could not read our pack: of that ref nothing was done.
_UNSERVED = ("missing necessary objects", "unpacker error", "bad pack")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a look at the refs leaves to do: ``send``, and the fates that are ``settled``."""

    send: Sequence[RefUpdate]
    settled: Mapping[str, RefResult]


def settle(updates: Sequence[RefUpdate], seen: Advertisement, *, atomic: bool) -> Choice:
    """Return what to send to a server that shows ``seen``, in the session that shows it.

    An update is left out where the ref has the new value already, where it has another value than
    the old one, and where the host does not do it at all. If ``atomic``, one that cannot succeed
    keeps the others from being sent.
    """
    if atomic and not seen.can("atomic"):
        return Choice((), everywhere(updates, PushState.UNSENT, NO_ATOMIC))
    settled = {u.ref: fate for u in updates if (fate := _foreseen(u, seen)) is not None}
    send = [u for u in updates if u.ref not in settled]
    if atomic and any(fate.state is not PushState.DONE for fate in settled.values()):
        settled.update(everywhere(send, PushState.UNSENT, "another update would not succeed"))
        send = []
    return Choice(send, settled)


def read_report(report: Report, updates: Sequence[RefUpdate]) -> dict[str, RefResult]:
    """Return the fate of each update that was sent. One that is not reported is UNKNOWN."""
    said = report.said if report.unpack == "ok" else f"{report.unpack} {report.said}"
    found = {
        ref: RefResult(PushState.DONE) if reason is None else rejected_there(reason)
        for ref, reason in report.refs.items()
    }
    return judge(found, updates, said=printable(said))


def unserved(report: Report, updates: Sequence[RefUpdate], *, atomic: bool) -> list[RefUpdate]:
    """Return those of ``updates`` that surely were not made, for want of objects on the server.

    They may be sent in another way. Of an ``atomic`` push it is all or none: never a part.
    """
    failed = [
        u for u in updates if (reason := report.refs.get(u.ref)) and reason.startswith(_UNSERVED)
    ]
    if atomic and failed:
        whole = all(update.ref in report.refs for update in updates)
        return list(updates) if whole and None not in report.refs.values() else []
    return failed


def everywhere(updates: Sequence[RefUpdate], state: PushState, reason: str) -> dict[str, RefResult]:
    """Return the same fate for every update."""
    return {update.ref: RefResult(state, reason) for update in updates}


def _foreseen(update: RefUpdate, seen: Advertisement) -> RefResult | None:
    there = seen.refs.get(update.ref)
    if update.new is not None and there == update.new:
        return RefResult(PushState.DONE, UP_TO_DATE)
    if there != update.old:
        return RefResult(PushState.STALE, "stale info")
    if update.new is None and not seen.can("delete-refs"):
        return RefResult(PushState.REFUSED, "the host deletes no refs")
    return None
