"""The options that describe a task, shared by the verbs that write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from gitbaton.cli.verb import FunctionT, compose
from gitbaton.core.durations import parse_duration
from gitbaton.core.errors import InvalidInput


class Duration(click.ParamType[float]):
    """A duration such as ``90s``, ``15m`` or ``2h``; becomes seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value, field=param.opts[-1] if param else "duration")
        except InvalidInput as error:
            self.fail(error.message, param, ctx)


DURATION = Duration()
TASK_ID = "ID"


def _many(name: str, field: str, metavar: str, words: str) -> Callable[[FunctionT], FunctionT]:
    return click.option(name, field, multiple=True, metavar=metavar, help=words)


task_options = compose(
    click.option("--body", metavar="TEXT", help="What is to be done, in full."),
    click.option(
        "--body-file",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE",
        help="Read the body from FILE (-: standard input).",
    ),
    click.option("--priority", type=int, metavar="N", help="0 is highest; the default is 2."),
    _many("--needs", "needs", "ID", "A task that must be finished first. Repeatable."),
    _many("--requires", "requires", "CAP", "A capability the worker must have. Repeatable."),
    _many("--paths", "paths", "GLOB", "Files that the task may touch. Repeatable."),
    _many("--check", "checks", "CMD", "A command that must succeed before landing. Repeatable."),
    click.option("--gate", metavar="NAME", help="A gate that a human must open first."),
    _many("--label", "labels", "LABEL", "A label. Repeatable."),
    click.option("--timeout", type=DURATION, metavar="D", help="How long one attempt may take."),
    click.option("--max-attempts", type=int, metavar="N", help="Attempts before it is failed."),
    click.option("--target", metavar="BRANCH", help="The branch that the result lands on."),
    click.option("--branch", metavar="BRANCH", help="The branch that the result is published on."),
    click.option("--deliverable", metavar="TEXT", help="What exists when the task is done."),
    click.option("--external-ref", metavar="TEXT", help="The ticket that it stands for elsewhere."),
)


def read_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task's fields among the parameters ``given``, without those not given.

    Raises InvalidInput when the body is given twice or its file cannot be read.
    """
    fields = {name: value for name, value in given.items() if value not in (None, ())}
    file = fields.pop("body_file", None)
    if file is not None:
        if "body" in fields:
            raise InvalidInput("body", "give --body or --body-file, not both")
        fields["body"] = read_text(file, field="--body-file")
    return fields


def read_text(file: Path, *, field: str) -> str:
    """Return the text of ``file`` (``-``: standard input); raise InvalidInput naming ``field``."""
    try:
        with click.open_file(str(file), "rb") as source:
            data: bytes = source.read()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(field, f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(field, f"{file} is not UTF-8: {error.reason}") from error
