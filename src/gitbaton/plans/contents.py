"""What the fields of a plan may contain: what the task may that comes of it (pure).

The rules are those of ``tasks/validation.py``. They name the first mistake and stop, so a phase
that does not pass as a whole is asked about field by field, and a list item by item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from gitbaton.core.config import Seconds
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import TaskId, branch_name
from gitbaton.plans.drafting import deliverable_text, task_of
from gitbaton.plans.model import NAME_LIMIT
from gitbaton.plans.problem import Path
from gitbaton.plans.words import is_kept, pin_word
from gitbaton.tasks.drafts import Draft, compose
from gitbaton.tasks.globs import check_glob
from gitbaton.tasks.settings import QueueSettings

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ANY_QUEUE: Final = QueueSettings("")
_DRAFT_NAMES: Final[Mapping[str, str]] = {"prompt": "body"}
_PLAIN: Final = (
    *("title", "prompt", "checks", "requires", "paths", "branch", "priority", "gate"),
    *("timeout", "max_attempts"),
)


class Judge:
    """Finds what no task may have. ``plan``: its name, which the ids of the tasks begin with."""

    def __init__(self, plan: str = "x") -> None:
        self._plan = plan

    def header(self, values: Mapping[str, Any]) -> Iterator[tuple[Path, InvalidInput]]:
        """Yield the mistakes in ``[plan]``, each with its path in the table."""
        if "name" in values:
            try:
                _plan_name(values["name"])
            except InvalidInput as error:
                yield ("name",), error
        for field in ("checks", "timeout", "max_attempts"):
            yield from self._field(field, values.get(field))
        if values.get("target") is not None:
            try:
                branch_name(values["target"], field="target")
            except InvalidInput as error:
                yield ("target",), error

    def phase(self, values: Mapping[str, Any]) -> Iterator[tuple[Path, InvalidInput]]:
        """Yield the mistakes in a phase's fields, each with its path in the table."""
        if self._passes(values):
            return
        if "id" in values:
            try:
                task_of(self._plan, values["id"])
            except InvalidInput as error:
                yield ("id",), _instead(error, "id", values["id"])
        for field in _PLAIN:
            yield from self._field(field, values.get(field))
        yield from self._deliverable(values.get("deliverable", ""))
        if values.get("worker") is not None:
            try:
                _draft(requires=(pin_word(values["worker"]),))
            except InvalidInput as error:
                yield ("worker",), _instead(error, "worker", values["worker"])
        if len(set(values.get("needs", ()))) != len(values.get("needs", ())):
            yield ("needs",), InvalidInput("needs", "something is named twice")

    def _passes(self, values: Mapping[str, Any]) -> bool:
        """Tell whether all is well, which is the usual case, in one question."""
        words = tuple(values.get("requires", ()))
        pin = values.get("worker")
        needs = values.get("needs", ())
        deliverable = values.get("deliverable", "")
        if any(map(is_kept, words)) or len(set(needs)) != len(needs):
            return False
        try:
            if not isinstance(deliverable, str):
                for glob in deliverable:
                    check_glob(glob)
            fields = {
                _DRAFT_NAMES.get(field, field): _plain(values[field])
                for field in _PLAIN
                if field in values and field != "requires"
            }
            if pin is not None:
                words = (*words, pin_word(pin))
            fields |= {"requires": words, "deliverable": deliverable_text(deliverable)}
            fields.setdefault("title", "x")
            compose(
                Draft(**fields),
                task_of(self._plan, values.get("id", "x")),
                settings=_ANY_QUEUE,
                by="",
                now=_ANY_TIME,
            )
        except InvalidInput:
            return False
        return True

    def _field(self, field: str, value: Any) -> Iterator[tuple[Path, InvalidInput]]:
        if value is None:
            return
        name = _DRAFT_NAMES.get(field, field)
        wrong = False
        if isinstance(value, tuple):
            for number, item in enumerate(value):
                try:
                    if field == "requires":
                        _own_word(item)
                    _draft(**{name: (item,)})
                except InvalidInput as error:
                    wrong = True
                    yield (field, number), _instead(error, field, item)
        if wrong:
            return
        try:
            _draft(**{name: value})
        except InvalidInput as error:
            yield (field,), _instead(error, field, value)

    def _deliverable(self, value: Any) -> Iterator[tuple[Path, InvalidInput]]:
        if isinstance(value, str):
            yield from self._field("deliverable", value)
            return
        for number, glob in enumerate(value):
            try:
                check_glob(glob, field="deliverable")
            except InvalidInput as error:
                yield ("deliverable", number), error


def _draft(**fields: Any) -> None:
    """Raise InvalidInput when no task may have ``fields``."""
    fields = {name: _plain(value) for name, value in fields.items()}
    draft = Draft(**{"title": "x", **fields})
    compose(draft, TaskId("x"), settings=_ANY_QUEUE, by="", now=_ANY_TIME)


def _plain(value: Any) -> Any:
    """Return a duration of the file's model as tasks keep it, and anything else as it is."""
    return float(value) if isinstance(value, Seconds) else value


def _instead(error: InvalidInput, field: str, value: object) -> InvalidInput:
    """Return ``error`` under the name that the field has in a plan."""
    said = error.message.removeprefix(f"{error.field}: ")
    if field == "worker":
        said = f"{value!r} is no worker: lowercase letters, digits and . _ + -"
    return InvalidInput(field, said)


def _own_word(word: str) -> None:
    if is_kept(word):
        raise InvalidInput("requires", f"{word!r} is no capability to ask for; use: worker = …")


def _plan_name(name: str) -> None:
    try:
        task_of(name, "x")
    except InvalidInput as error:
        raise _instead(error, "name", name) from error
    if "." in name or len(name) > NAME_LIMIT:
        raise InvalidInput("name", f"{name!r}: at most {NAME_LIMIT} characters, and no dot")
