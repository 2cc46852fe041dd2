"""What hooks are told: one event, the same in every form that it is sent in (pure).

An event has an id of its own. It is delivered at least once, so whoever must not act twice keeps
the ids that it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from gitbaton.core.config import HookEvent
from gitbaton.core.ids import new_nonce

TEXT_LIMIT: Final = 4000  # characters

# What a worker tells (work/events.py) -> the event that hooks are told; the rest is not told.
FROM_WORK: Final[Mapping[str, HookEvent]] = {
    "claimed": "claim",
    "landed": "done",
    "review": "review",
    "blocked": "block",
    "failed": "fail",
    "released": "release",
    "reaped": "reset",
    "lost": "lost",
    "rescued": "rescue",
}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. ``key``: what an alert is about; its end has the same."""

    id: str
    event: HookEvent
    at: str  # RFC 3339
    text: str
    project: str | None = None
    worker: str | None = None
    machine: str | None = None
    task: str | None = None
    epoch: int | None = None
    branch: str | None = None
    commit: str | None = None
    key: str | None = None


class Told(Protocol):
    """What a worker tells, as far as it matters here."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def task(self) -> str | None: ...
    @property
    def epoch(self) -> int | None: ...
    @property
    def branch(self) -> str | None: ...
    @property
    def commit(self) -> str | None: ...


class News(Protocol):
    """An alert that begins or is over (plans/health), as far as it matters here."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def over(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who tells: part of every event."""

    project: str | None = None
    worker: str | None = None
    machine: str | None = None


def event_from_work(told: Told, source: Source) -> Event | None:
    """Return the event that ``told`` is for hooks, None if it is none."""
    kind = FROM_WORK.get(told.kind)
    if kind is None:
        return None
    return Event(
        id=new_nonce(),
        event=kind,
        at=told.at,
        text=told.text[:TEXT_LIMIT],
        task=told.task,
        epoch=told.epoch,
        branch=told.branch,
        commit=told.commit,
        project=source.project,
        worker=source.worker,
        machine=source.machine,
    )


def event_from_news(news: News, source: Source) -> Event:
    """Return the event that an alert's beginning or end is for hooks, with the id of the news."""
    kind: HookEvent = "clear" if news.over else "gate" if news.kind == "gate" else "alert"
    return Event(
        id=news.id,
        event=kind,
        at=news.at,
        text=news.text[:TEXT_LIMIT],
        key=news.key,
        project=source.project,
        worker=source.worker,
        machine=source.machine,
    )


def encode_event(event: Event) -> bytes:
    """Return ``event`` as a JSON object."""
    return msgspec.json.encode(event)


def environment_of(event: Event) -> dict[str, str]:
    """Return what a command sees of ``event`` in its environment, without the free text."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    names = {"event": "BATON_EVENT", "id": "BATON_EVENT_ID"}
    return {
        names.get(name, f"BATON_{name.upper()}"): str(value).replace("\0", "")
        for name, value in plain.items()
        if name != "text"
    }


def slack_body(event: Event) -> bytes:
    """Return ``event`` as the JSON that Slack's incoming webhooks take, and their likes.

    Source: https://api.slack.com/reference/surfaces/formatting#escaping. Titles come from
    anybody, so they can be no markup and ring for nobody (I8).
    """
    subject = f" {_escape(event.task)}" if event.task else ""
    where = f" ({_escape(event.worker)})" if event.worker else ""
    return msgspec.json.encode(
        {"text": f"*{event.event}*{subject}: {_escape(event.text)}{where}"[:TEXT_LIMIT]}
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
