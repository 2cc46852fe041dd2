"""What a task may contain. Guards the door for people, files, and records others wrote (I8)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.core.ids import agent_name, branch_name, is_oid, task_id
from gitbaton.store.model import Value
from gitbaton.tasks import text
from gitbaton.tasks.globs import check_glob
from gitbaton.tasks.model import (
    FORMAT,
    MAX_PRIORITY,
    Approval,
    Claim,
    Landing,
    Remark,
    Result,
    Status,
    Task,
    task_key,
)

BODY_LIMIT: Final = 64 * 1024  # bytes of UTF-8
LONGEST: Final = 366 * 86400.0  # seconds: the longest lease, timeout or delay
MOST: Final = {
    "needs": 200,
    "requires": 50,
    "paths": 100,
    "checks": 50,
    "labels": 50,
    "remarks": 50,
}
_HUGE: Final = 2**31

_GATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CAPABILITY = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"[0-9-]{10}T[0-9:]{8}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_AT = re.compile(r"at `\$\.?([^`\[.]+)")
_NAMED = re.compile(r"field `([^`]+)`")


def decode_task(key: str, value: Value) -> Task:
    """Return the task that ``encode_task`` made ``value`` of.

    Raises DamagedRecord naming the field, for whatever a broken or hostile client wrote.
    """
    fields = dict(value)
    written = fields.pop("format", None)
    if type(written) is not int or written < 1:
        raise DamagedRecord(f"{key}: format: {written!r} is no format number")
    if written > FORMAT:
        raise DamagedRecord(
            f"{key}: format: {written} is newer than this baton knows ({FORMAT})",
            next="uv tool upgrade gitbaton",
        )
    try:
        task = convert_task(fields)
        check_fields(task)
        if task_key(task.id) != key:
            raise InvalidInput("id", f"{task.id!r} does not belong under this key")
    except InvalidInput as error:
        raise DamagedRecord(f"{key}: {error.message}", next="baton doctor") from error
    return task


def convert_task(fields: Mapping[str, Any]) -> Task:
    """Return the task with these fields; raise InvalidInput naming one of a wrong type."""
    try:
        return msgspec.convert(dict(fields), Task)
    except msgspec.ValidationError as error:
        raise InvalidInput(_field_of(str(error)), text.clean_line(str(error))) from error
    except (RecursionError, OverflowError, UnicodeError) as error:
        raise InvalidInput("record", f"it cannot be read: {error}") from error


def check_fields(task: Task) -> None:
    """Raise InvalidInput naming the first field whose content is not allowed."""
    task_id(task.id)
    title(task.title)
    _text("body", task.body, BODY_LIMIT)
    _number("priority", task.priority, 0, MAX_PRIORITY)
    _each("needs", task.needs, lambda need: task_id(need, field="needs"))
    if task.id in task.needs:
        raise InvalidInput("needs", f"{task.id!r} cannot need itself")
    _each("requires", task.requires, capability)
    _each("paths", task.paths, check_glob)
    _each("checks", task.checks, _check)
    _each("labels", task.labels, _label)
    if task.gate is not None:
        gate(task.gate)
    for field in ("target", "branch"):
        name = getattr(task, field)
        if name is not None:
            branch_name(name, field=field)
    if task.plan is not None:
        task_id(task.plan, field="plan")
    _text("deliverable", task.deliverable or "", BODY_LIMIT)
    _line("external_ref", task.external_ref, 500)
    _line("created_by", task.created_by, 100)
    _text("reason", task.reason or "", BODY_LIMIT)
    _number("attempts", task.attempts, 0, _HUGE)
    _number("max_attempts", task.max_attempts, 1, 1000)
    _number("epoch", task.epoch, 0, _HUGE)
    _number("gate_round", task.gate_round, 0, _HUGE)
    _seconds("delay", task.delay)
    if task.timeout is not None:
        _seconds("timeout", task.timeout, positive=True)
    for field in ("created_at", "updated_at", "not_before"):
        moment = getattr(task, field)
        if moment is not None:
            _moment(field, moment)
    _check_parts(task)


def title(words: str) -> str:
    """Return ``words`` as a title: one line, 1-200 characters."""
    if not words.strip() or len(words) > text.TITLE_LIMIT or not text.is_line(words):
        raise InvalidInput("title", f"write one line of 1 to {text.TITLE_LIMIT} characters")
    return words


def reason(words: str, *, field: str = "reason") -> str:
    """Return ``words`` cleaned and bounded; raise InvalidInput when nothing is left."""
    cleaned = text.clean_text(words)
    if not cleaned:
        raise InvalidInput(field, "say why, in a few words")
    return cleaned


def gate(name: str) -> str:
    """Return ``name`` as the name of a gate."""
    if not _GATE.fullmatch(name):
        raise InvalidInput("gate", f"{name!r} is no gate: letters, digits and . _ - (at most 64)")
    return name


def capability(word: str) -> str:
    """Return ``word`` as a capability, e.g. ``gpu`` or ``windows-files``."""
    if not _CAPABILITY.fullmatch(word):
        raise InvalidInput(
            "requires",
            f"{word!r} is no capability: lowercase letters, digits and . _ + -",
        )
    return word


def lease(seconds: float) -> float:
    """Return ``seconds`` as the length of a lease."""
    _seconds("lease", seconds, positive=True)
    return seconds


def _check_parts(task: Task) -> None:
    if (task.status is Status.IN_PROGRESS) != (task.claim is not None):
        raise InvalidInput("claim", f"a task that is {task.status} with claim {task.claim!r:.40}")
    if task.claim is not None:
        _check_claim(task, task.claim)
    if task.ended is not None:
        _number("ended", task.ended.epoch, 1, task.epoch)
        _matches("ended", task.ended.nonce, _NONCE)
        _line("ended", task.ended.word, 40)
    if task.approval is not None:
        _check_approval(task.approval)
    if task.landing is not None:
        _check_landing(task.landing)
    if task.result is not None:
        _check_result(task.result)
    _count("remarks", task.remarks)
    for remark in task.remarks:
        _check_remark(remark)


def _check_claim(task: Task, claim: Claim) -> None:
    if claim.epoch != task.epoch or claim.epoch < 1:
        raise InvalidInput("claim.epoch", f"{claim.epoch} where the task is at {task.epoch}")
    for field in ("agent", "worker", "machine"):
        agent_name(getattr(claim, field), field=f"claim.{field}")
    _matches("claim.nonce", claim.nonce, _NONCE)
    _moment("claim.claimed_at", claim.claimed_at)
    _moment("claim.renewed_at", claim.renewed_at)
    _seconds("claim.lease", claim.lease, positive=True)


def _check_approval(approval: Approval) -> None:
    agent_name(approval.by, field="approval.by")
    _moment("approval.at", approval.at)
    _matches("approval.digest", approval.digest, _DIGEST)
    _oid("approval.commit", approval.commit)
    _text("approval.signature", approval.signature or "", 16 * 1024)


def _check_landing(landing: Landing) -> None:
    branch_name(landing.branch, field="landing.branch")
    _oid("landing.old", landing.old)
    _oid("landing.commit", landing.commit)


def _check_result(result: Result) -> None:
    if result.branch is not None:
        branch_name(result.branch, field="result.branch")
    _oid("result.commit", result.commit)
    _text("result.text", result.text or "", BODY_LIMIT)


def _check_remark(remark: Remark) -> None:
    _moment("remarks.at", remark.at)
    _line("remarks.by", remark.by, 100)
    _line("remarks.kind", remark.kind, 40)
    _text("remarks.text", remark.text, BODY_LIMIT)


def _check(command: str) -> None:
    if not command.strip() or len(command) > 4000 or not text.is_text(command):
        raise InvalidInput("checks", "write a command of 1 to 4000 printable characters")


def _label(word: str) -> None:
    if not word.strip() or len(word) > 64 or not text.is_line(word):
        raise InvalidInput("labels", f"{word!r:.80} is no label: 1 to 64 printable characters")


def _each(field: str, items: Sequence[str], check: Callable[[str], object]) -> None:
    _count(field, items)
    if len(set(items)) != len(items):
        raise InvalidInput(field, "something is named twice")
    for item in items:
        check(item)


def _count(field: str, items: Sequence[object]) -> None:
    if len(items) > MOST[field]:
        raise InvalidInput(field, f"{len(items)} are too many; at most {MOST[field]}")


def _line(field: str, words: str | None, limit: int) -> None:
    if words is not None and (len(words) > limit or not text.is_line(words)):
        raise InvalidInput(field, f"write one line of at most {limit} characters")


def _text(field: str, words: str, limit: int) -> None:
    if not text.is_text(words):
        raise InvalidInput(field, "control characters are not allowed, besides newline and tab")
    if len(words.encode()) > limit:
        raise InvalidInput(field, f"at most {limit} bytes")


def _number(field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise InvalidInput(field, f"{number} is not between {least} and {most}")


def _seconds(field: str, seconds: float, *, positive: bool = False) -> None:
    if not math.isfinite(seconds) or not 0 <= seconds <= LONGEST or (positive and not seconds):
        least = "more than 0" if positive else "0"
        raise InvalidInput(field, f"{seconds} is not {least} to {LONGEST:.0f} seconds")


def _moment(field: str, moment: str) -> None:
    try:
        if not _MOMENT.fullmatch(moment):  # fromisoformat takes any character for the T
            raise ValueError(moment)
        parse_rfc3339(moment)
    except ValueError as error:
        raise InvalidInput(field, f"{moment!r:.60} is no time (RFC 3339)") from error


def _matches(field: str, word: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(word):
        raise InvalidInput(field, f"{word!r:.80} does not have the form {form.pattern}")


def _oid(field: str, oid: str | None) -> None:
    if oid is not None and not is_oid(oid):
        raise InvalidInput(field, f"{oid!r:.80} is no full object id")


def _field_of(message: str) -> str:
    """Return the field that a msgspec message is about."""
    found: Iterable[re.Match[str] | None] = (
        _AT.search(message),
        _NAMED.search(message),
    )
    return next((match[1] for match in found if match), "record")
