"""Every error has its documented exit status."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gitbaton.cli.errors import error_document, exit_status, redact, run_guarded
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.core import errors

STATUS = {
    "BatonError": 1,
    "InvalidInput": 2,
    "Refused": 1,
    "UnknownTask": 1,
    "TaskExists": 1,
    "WrongStatus": 1,
    "NothingToClaim": 75,
    "ClaimLost": 76,
    "HostRefused": 77,
    "NoAtomicPush": 77,
    "GateClosed": 77,
    "RemoteUnreachable": 69,
    "OutcomeUnknown": 69,
    "DamagedRecord": 1,
    "GitFailed": 1,
}


def kinds(root: type[errors.BatonError]) -> Iterator[type[errors.BatonError]]:
    if root.__module__ == errors.__name__:
        yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds(errors.BatonError)))
def test_the_status_of(kind: type[errors.BatonError]) -> None:
    assert exit_status(kind.__new__(kind)) == STATUS[kind.__name__]


def request(tmp_path: Path, *, json: bool = True) -> tuple[Request, io.StringIO]:
    out = io.StringIO()
    env = {"XDG_STATE_HOME": str(tmp_path)}
    return Request(env, Output(out, io.StringIO(), env, json=json)), out


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NothingToClaim("lost", "too late"), 75, "lost"),
        (click.UsageError("no"), 2, "usage"),
        (click.ClickException("no"), 1, "refused"),
        (click.Abort(), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("oh"), 3, "bug"),
    ],
)
def test_every_end_is_one_document(
    tmp_path: Path, error: BaseException, status: int, code: str
) -> None:
    asked, out = request(tmp_path)
    assert run_guarded(lambda: raising(error), asked, []) == status
    assert f'"code":"{code}"' in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_the_status_of_a_verb_is_passed_on(tmp_path: Path) -> None:
    asked, out = request(tmp_path)
    assert run_guarded(lambda: 5, asked, []) == 5
    assert run_guarded(lambda: None, asked, []) == 0
    assert out.getvalue() == ""


def test_a_bug_report_holds_no_token(tmp_path: Path) -> None:
    asked, _ = request(tmp_path)
    argv = ["done", "t", "--token", "t:1:secret", "--token=t:2:secret"]
    run_guarded(lambda: raising(ZeroDivisionError()), asked, argv)
    [report] = (tmp_path / "gitbaton").iterdir()
    assert "secret" not in report.read_text()
    assert "ZeroDivisionError" in report.read_text()
    assert redact(argv) == ["done", "t", "--token", "…", "--token=…"]


def test_an_error_says_what_to_do_next() -> None:
    error = errors.UnknownTask("t")
    assert error_document(error) == {
        "error": {
            "code": "unknown_task",
            "message": "there is no task 't'",
            "next": "baton list",
        }
    }


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["add", "x", "--priority", "9"], "baton add --help"),
        (["-C", "/tmp", "session", "exec", "--", "list"], "baton session exec --help"),
        (["--json", "session"], "baton session --help"),
        (["-C", "/nowhere"], "baton --help"),
    ],
)
def test_what_is_wrong_with_a_word_is_explained_by_the_verb(
    tmp_path: Path, argv: list[str], command: str
) -> None:
    asked, out = request(tmp_path)
    error = errors.InvalidInput("field", "is wrong")
    assert run_guarded(lambda: raising(error), asked, argv) == 2
    assert f'"next":"{command}"' in out.getvalue()
