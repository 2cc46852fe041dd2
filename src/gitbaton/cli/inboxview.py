"""Messages and responses as ``baton inbox`` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.cli.output import Cell, Output
from gitbaton.plans.inbox.feed import Reject
from gitbaton.plans.inbox.model import Delivery, Entry, Hold, Letter, Message, Receipt, Response
from gitbaton.store.model import Key

_STYLES = {"waiting": "yellow", "taken": "cyan", "answered": "green"}


def message_document(shown: Entry | Message) -> dict[str, object]:
    """Return a message as JSON. Only who has just taken it gets its token."""
    if isinstance(shown, Message):
        return {
            **_common(shown.handle, shown.delivery),
            "state": "taken",
            "text": shown.text,
            "reader": shown.hold.reader,
            "delivery": shown.hold.delivery,
            "lease": shown.hold.lease,
            "token": shown.hold.token,
            "response": None,
        }
    hold: Hold | None = None if shown.delivery is None else shown.delivery.hold
    return {
        **_common(shown.handle, shown.letter),
        "state": shown.state,
        "text": None if shown.delivery is None else shown.delivery.text,
        "reader": None if hold is None else hold.reader,
        "delivery": 0 if shown.delivery is None else shown.delivery.count,
        "lease": None if hold is None else hold.lease,
        "response": response_document(shown.letter.response),
    }


def response_document(response: Response | None) -> dict[str, object] | None:
    """Return a response as JSON."""
    if response is None:
        return None
    return {"text": response.text, "from": response.by, "at": response.at}


def receipt_document(receipt: Receipt, response: Response | None) -> dict[str, object]:
    """Return what ``send`` says as JSON."""
    return {
        "message": receipt.handle,
        "copy": receipt.copy,
        "response": response_document(response),
    }


def print_list(
    out: Output, entries: Sequence[Entry], rejects: Sequence[Reject], damaged: Mapping[Key, str]
) -> None:
    """Print messages for people, and what is no message."""
    if entries:
        rows: list[Sequence[Cell]] = [
            (
                entry.handle[:12],
                (entry.state, _STYLES[entry.state]),
                entry.letter.sent_at[:16].replace("T", " "),
                entry.letter.sender,
                _who(entry),
                _words(entry),
            )
            for entry in entries
        ]
        out.table(("MESSAGE", "STATE", "SENT", "FROM", "READER", "TEXT"), rows)
    else:
        out.say("no message waits")
    for reject in rejects:
        out.say(f"no message: {reject.path} at byte {reject.offset}: {reject.reason}")
    for key, reason in damaged.items():
        out.complain(f"baton: {key} cannot be read: {reason}")


def _common(handle: str, about: Letter | Delivery) -> dict[str, object]:
    return {
        "message": handle,
        "id": about.id,
        "from": about.sender,
        "to": about.box or None,
        "task": about.task,
        "epoch": about.task_epoch,
        "sent_at": about.sent_at,
    }


def _who(entry: Entry) -> str:
    if entry.letter.response is not None:
        return entry.letter.response.by
    held = entry.delivery is not None and entry.delivery.hold is not None
    return entry.delivery.hold.reader if held and entry.delivery and entry.delivery.hold else ""


def _words(entry: Entry) -> str:
    if entry.letter.response is not None:
        return entry.letter.response.text
    said = "" if entry.delivery is None else entry.delivery.text
    return said or f"task {entry.letter.task}"
