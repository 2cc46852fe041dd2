"""The one catch-all: every way a run can end becomes an exit status and a clear message."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from gitbaton import __version__
from gitbaton.cli.catalogue import VERBS
from gitbaton.cli.output import AnswerLost, ReaderGone, silence
from gitbaton.cli.request import Request
from gitbaton.cli.verb import Family, root
from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GateClosed,
    HostRefused,
    InvalidInput,
    NothingToClaim,
    RemoteUnreachable,
)

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
BUG: Final = 3
UNREACHABLE: Final = 69
NOT_DELIVERED: Final = 74  # EX_IOERR of sysexits.h
NOTHING_TO_CLAIM: Final = 75
CLAIM_LOST: Final = 76
FORBIDDEN: Final = 77
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141  # as a program that SIGPIPE ended

_STATUS: Final[Sequence[tuple[type[BatonError], int]]] = (
    (InvalidInput, USAGE),
    (RemoteUnreachable, UNREACHABLE),
    (NothingToClaim, NOTHING_TO_CLAIM),
    (ClaimLost, CLAIM_LOST),
    (HostRefused, FORBIDDEN),
    (GateClosed, FORBIDDEN),
)


def exit_status(error: BatonError) -> int:
    """Return the documented exit status of ``error``."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), REFUSED)


def error_document(error: BatonError) -> dict[str, object]:
    """Return ``error`` as it is printed under ``--json``."""
    return {"error": {"code": error.code, "message": error.message, "next": error.next}}


def run_guarded(run: Callable[[], object], request: Request, argv: Sequence[str]) -> int:
    """Call ``run`` and return the exit status of this process, whatever happens.

    ``run`` may return an exit status of its own. ``argv`` goes into the report of a bug.
    """
    try:
        status = run()
        return status if isinstance(status, int) else DONE
    except BatonError as error:
        help_first = isinstance(error, InvalidInput) and not error.next
        _tell(request, error.code, error.message, help_of(argv) if help_first else error.next)
        return exit_status(error)
    except click.UsageError as error:
        _tell(request, "usage", error.format_message(), _help_command(error))
        return USAGE
    except click.ClickException as error:
        _tell(request, "refused", error.format_message(), None)
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        _tell(request, "interrupted", "interrupted", None)
        return INTERRUPTED
    except AnswerLost as lost:
        return _undelivered(request, lost)
    except Exception as error:  # noqa: BLE001 - the one catch-all
        if unwritten := _find_lost(request, error):
            return _undelivered(request, unwritten)
        where = _report(error, request, argv)
        message = f"a bug in baton: {type(error).__name__}: {error}"
        _tell(request, "bug", message, None if where is None else f"report it with {where}")
        return BUG


def _tell(request: Request, code: str, message: str, next: str | None) -> None:
    output = request.output
    try:
        if output.json:
            output.document({"error": {"code": code, "message": message, "next": next}})
            return
    except AnswerLost:
        silence(output.stdout)
    output.complain(f"baton: {message}")
    if next:
        output.complain(f"  next: {next}")


def _undelivered(request: Request, lost: AnswerLost) -> int:
    """Say that standard output took no answer, unless its reader has left; return the status."""
    silence(request.output.stdout)
    if isinstance(lost, ReaderGone):
        return PIPE_CLOSED
    request.output.complain(
        f"baton: the answer could not be written to standard output: {lost}; "
        "what was asked for may have been done"
    )
    request.output.complain("  next: baton status")
    return NOT_DELIVERED


def _find_lost(request: Request, error: Exception) -> AnswerLost | None:
    """Return what is wrong with standard output, if ``error`` came of what click wrote to it."""
    if not isinstance(error, OSError):
        return None
    try:
        request.output.raw("")  # what could not be written before is still in the buffer
    except AnswerLost as lost:
        return lost
    return None


def help_of(argv: Sequence[str]) -> str:
    """Return the command that explains what ``argv`` asks for."""
    words = iter(word for word in argv if not word.startswith("-"))
    verb = next((word for word in words if word in VERBS), None)
    if verb is None:
        return "baton --help"
    group = root()
    command = group.get_command(click.Context(group), verb)
    member = next(words, "")
    part = f" {member}" if isinstance(command, Family) and member in command.commands else ""
    return f"baton {verb}{part} --help"


def _help_command(error: click.UsageError) -> str:
    return f"{error.ctx.command_path if error.ctx else 'baton'} --help"


def _report(error: Exception, request: Request, argv: Sequence[str]) -> Path | None:
    """Write what is known of a bug to a file and return its path; None if nothing is writable."""
    import traceback

    moment = datetime.now(UTC)
    text = "\n".join(
        (
            f"baton {__version__}, Python {sys.version}, {sys.platform}",
            f"at {moment.isoformat()}",
            f"argv {redact(argv)!r}",
            "",
            "".join(traceback.format_exception(error)),
        )
    )
    app = request.opened
    for directory in ([app.logs] if app else []) + [_state_directory(request.env)]:
        path = directory / f"bug-{moment:%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            path.chmod(0o600)
        except OSError:
            continue
        return path
    return None


def redact(argv: Sequence[str]) -> list[str]:
    """Return ``argv`` without the tokens in it: a report may be shared, a token may not."""
    shown: list[str] = []
    for word in argv:
        if shown and shown[-1] == "--token":
            shown.append("…")
        else:
            shown.append("--token=…" if word.startswith("--token=") else word)
    return shown


def _state_directory(env: Mapping[str, str]) -> Path:
    base = env.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "gitbaton"
