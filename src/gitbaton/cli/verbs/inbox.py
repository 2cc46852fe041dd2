"""``baton inbox``: sends messages to machines, and answers them."""

from __future__ import annotations

from pathlib import Path

import click

from gitbaton.cli.errors import DONE
from gitbaton.cli.feeding import inbox_file_option
from gitbaton.cli.fields import DURATION, read_text
from gitbaton.cli.inboxplace import boxes_here, find_inbox, opened, reader_name
from gitbaton.cli.inboxview import message_document, print_list, receipt_document, response_document
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import family
from gitbaton.core.clock import Clock, SystemClock
from gitbaton.core.errors import InvalidInput, NothingToClaim
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.feed import Feed, read_rejects
from gitbaton.plans.inbox.model import Handle, Response
from gitbaton.plans.inbox.opening import OpenInbox

_LEASE = 900.0
_FOREVER = 366 * 86_400.0

command = family(
    "inbox",
    """Send messages to machines, and answer them.

    Every machine has one inbox for each of its users, reached from other machines by ssh. A message
    is delivered until there is a response, and there is never more than one.
    """,
)

_text_file = click.option(
    "--file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Read the text from FILE (-: standard input).",
)
_at = click.option(
    "--at", "where", default=".", metavar="TO", help="The inbox of another machine, as for send."
)


@command.member("send")
@click.argument("to", metavar="TO")
@click.argument("text", metavar="[TEXT]", required=False)
@_text_file
@click.option("--task", metavar="ID", help="The task that it is about.")
@click.option("--epoch", type=click.IntRange(min=0), metavar="N", help="The epoch of that task.")
@click.option("--id", metavar="MID", help="What you call it: sent again, it is the same message.")
@click.option("--dedup-key", metavar="K", help="Without --id: another K, another message.")
@click.option("--from", "sender", metavar="NAME", help="Who sends it; default BATON_AGENT or you.")
@click.option("--wait", is_flag=True, help="Wait for the response, and print it.")
@click.option("--timeout", type=DURATION, metavar="D", help="How long to wait at most.")
def send(
    request: Request,
    to: str,
    text: str | None,
    file: Path | None,
    task: str | None,
    epoch: int | None,
    id: str | None,
    dedup_key: str | None,
    sender: str | None,
    wait: bool,
    timeout: float | None,
) -> None:
    """Send TEXT to the inbox TO, once, however often this is called.

    TO is . (this machine), HOST, USER@HOST, HOST:PATH (who works in that clone), or a worker.
    Without --id, what says the same within a day of its response is the same message.
    """
    clock = SystemClock()
    destination = find_inbox(request, to)
    draft = make_draft(
        sender=sender or reader_name(request, clock),
        text=_one_text(text, file, task),
        box=destination.box,
        id=id,
        task=task,
        task_epoch=epoch,
        dedup_key=dedup_key,
    )
    with opened(request, destination, clock) as there:
        receipt = there.inbox.send(draft)
        response = receipt.response
        if wait and response is None:
            response = _await(there, receipt.handle, clock, timeout)
    document = receipt_document(receipt, response)

    def human(out: Output) -> None:
        if response is not None:
            out.say(response.text)
            return
        out.say(f"{'sent before' if receipt.copy else 'sent'} {receipt.handle[:12]}")
        where = "" if destination.host is None else f" --at {to}"
        out.hint(f"  next: baton inbox wait --for {receipt.handle[:12]}{where}")

    request.output.answer(document, human)


@command.member("list")
@_at
@click.option("--all", "everything", is_flag=True, help="Answered ones too.")
def list_messages(request: Request, where: str, everything: bool) -> None:
    """List the messages that wait for a response, and lines of inbox files that are no messages."""
    with opened(request, find_inbox(request, where), SystemClock()) as there:
        listing = there.inbox.list()
        rejects = read_rejects(there.inbox.store)
    shown = [entry for entry in listing.entries if everything or entry.state != "answered"]
    document = {
        "messages": [message_document(entry) for entry in shown],
        "rejects": rejects,
        "damaged": listing.damaged,
    }
    request.output.answer(document, lambda out: print_list(out, shown, rejects, listing.damaged))


@command.member("respond")
@click.argument("message", metavar="MSG")
@click.argument("text", metavar="[TEXT]", required=False)
@_text_file
@click.option("--token", metavar="T", help="What wait printed: proves that it is still yours.")
@click.option("--from", "sender", metavar="NAME", help="Who answers; default BATON_AGENT or you.")
@_at
def respond(
    request: Request,
    message: str,
    text: str | None,
    file: Path | None,
    token: str | None,
    sender: str | None,
    where: str,
) -> None:
    """Answer the message MSG. There is one response: the first.

    With --token it is refused (exit status 76) when somebody else has the message by now.
    """
    clock = SystemClock()
    with opened(request, find_inbox(request, where), clock) as there:
        handle = there.inbox.find(message)
        response = there.inbox.respond(
            handle,
            _one_text(text, file, None),
            by=sender or reader_name(request, clock),
            token=token,
        )
    document = {"message": handle, "response": response_document(response)}
    request.output.answer(document, lambda out: out.say(f"answered {handle[:12]}"))


@command.member("wait")
@click.option("--for", "message", metavar="MSG", help="For the response to MSG, not for a message.")
@click.option("--timeout", type=DURATION, metavar="D", help="How long to wait at most.")
@click.option(
    "--lease", type=DURATION, default=_LEASE, metavar="D", help="How long it is yours; default 15m."
)
@click.option("--from", "reader", metavar="NAME", help="Who reads; default BATON_AGENT or you.")
@inbox_file_option
@_at
def wait(
    request: Request,
    message: str | None,
    timeout: float | None,
    lease: float,
    reader: str | None,
    files: tuple[Path, ...],
    where: str,
) -> int:
    """Wait for the next message for this machine or clone, take it and print it.

    Answer it with respond before its lease is over, or the next reader gets it. Exit status 75:
    none came in time.
    """
    clock = SystemClock()
    destination = find_inbox(request, where)
    with opened(request, destination, clock, files) as there:
        if message is not None:
            handle = there.inbox.find(message)
            _print_response(request, handle, _await(there, handle, clock, timeout))
            return DONE
        feeds = [Feed(file, there.inbox) for file in files]
        drain = Drain(
            there.inbox,
            reader=reader or reader_name(request, clock),
            boxes=boxes_here(request) | ({destination.box} if destination.box else frozenset()),
            lease=lease,
            clock=clock,
            bell=there.bell,
            feeds=feeds,
            told=lambda feed, what: request.output.note(f"baton: {feed.path}: {what}"),
        )
        try:
            found = drain.next_message(timeout=_FOREVER if timeout is None else timeout)
        finally:
            drain.close()
    if found is None:
        raise NothingToClaim("empty", "no message came in time", next="baton inbox list")
    request.output.answer(
        {"message": message_document(found)},
        lambda out: _print_message(out, found.handle, found.delivery.sender, found.text),
    )
    return DONE


def _print_message(out: Output, handle: Handle, sender: str, text: str) -> None:
    out.hint(f"{handle[:12]} from {sender}:")
    out.say(text)
    out.hint(f"  next: baton inbox respond {handle[:12]} TEXT")


def _print_response(request: Request, handle: Handle, response: Response) -> None:
    document = {"message": handle, "response": response_document(response)}
    request.output.answer(document, lambda out: out.say(response.text))


def _await(there: OpenInbox, handle: Handle, clock: Clock, timeout: float | None) -> Response:
    end = clock.elapsed() + (_FOREVER if timeout is None else timeout)
    while True:
        there.bell.arm()
        response = there.inbox.response(handle)
        if response is not None:
            return response
        left = end - clock.elapsed()
        if left <= 0:
            raise NothingToClaim(
                "waiting",
                f"message {handle[:12]} has no response yet",
                next=f"baton inbox wait --for {handle[:12]}",
            )
        there.bell.wait(left)


def _one_text(text: str | None, file: Path | None, task: str | None) -> str:
    if text is not None and file is not None:
        raise InvalidInput("text", "give TEXT or --file, not both")
    if file is not None:
        return read_text(file, field="--file")
    if text is None and task is None:
        raise InvalidInput("text", "say something: TEXT, or --file FILE")
    return text or ""
