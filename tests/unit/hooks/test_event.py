"""What hooks are told, and in which form."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from gitbaton.core.config import HookEvent, HookSection
from gitbaton.core.errors import InvalidInput
from gitbaton.hooks.event import (
    FROM_WORK,
    Event,
    Source,
    encode_event,
    environment_of,
    event_from_news,
    event_from_work,
    slack_body,
)
from gitbaton.hooks.hook import Command, Webhook, make_hooks, secret_variables
from gitbaton.plans.health.alarms import News
from gitbaton.work.events import Kind, WorkEvent

AT = "2026-05-07T03:12:00Z"
EVENT = Event(id="0" * 32, event="done", at=AT, text="landed <b> & more", task="t1", worker="w")


def test_what_a_worker_tells_becomes_an_event() -> None:
    told = WorkEvent(kind="landed", at=AT, text="on main", task="t1", epoch=2, commit="abc")
    event = event_from_work(told, Source(project="p", worker="w", machine="m"))
    assert event is not None
    assert (event.event, event.task, event.epoch, event.commit) == ("done", "t1", 2, "abc")
    assert (event.project, event.worker, event.machine, event.at) == ("p", "w", "m", AT)
    assert event_from_work(told, Source()) != event_from_work(told, Source()), "an id of its own"
    assert event_from_work(WorkEvent(kind="output", at=AT, text="x"), Source()) is None


def test_the_table_speaks_of_things_that_exist() -> None:
    assert set(FROM_WORK) <= set(get_args(Kind))
    assert set(FROM_WORK.values()) <= set(get_args(HookEvent))


def test_the_forms_of_an_event() -> None:
    assert json.loads(encode_event(EVENT)) == {
        "id": "0" * 32,
        "event": "done",
        "at": AT,
        "text": "landed <b> & more",
        "task": "t1",
        "worker": "w",
    }
    assert environment_of(EVENT) == {
        "BATON_EVENT_ID": "0" * 32,
        "BATON_EVENT": "done",
        "BATON_AT": AT,
        "BATON_TASK": "t1",
        "BATON_WORKER": "w",
    }
    assert json.loads(slack_body(EVENT)) == {"text": "*done* t1: landed &lt;b&gt; &amp; more (w)"}


def test_nobody_is_rung_by_a_title() -> None:
    """I8: what comes from a task is data."""
    event = Event(id="1", event="alert", at=AT, text="<!channel> <@U1>")
    assert "<" not in json.loads(slack_body(event))["text"]


@pytest.mark.parametrize(
    ("kind", "over", "event"),
    [("gate", False, "gate"), ("worker-gone", False, "alert"), ("gate", True, "clear")],
)
def test_an_alert_becomes_an_event_with_the_id_of_the_news(
    kind: str, over: bool, event: HookEvent
) -> None:
    news = News(id="n", key="k", kind=kind, about="t1", text="x", at=AT, over=over)
    told = event_from_news(news, Source(machine="m"))
    assert (told.id, told.event, told.key, told.machine) == ("n", event, "k", "m")


def test_hooks_are_made_of_the_configuration() -> None:
    sections = {
        "log": HookSection(events=("all",), command="logger -t 'my baton'"),
        "chat": HookSection(events=("done", "alert"), webhook_env="URL", form="slack"),
    }
    hooks = make_hooks(sections, {"URL": "https://hooks.example.org/services/T0/s3cret"})
    assert hooks["log"].target == Command(("logger", "-t", "my baton"))
    assert hooks["log"].wants("claim")
    assert (hooks["chat"].wants("alert"), hooks["chat"].wants("claim")) == (True, False)
    chat = hooks["chat"].target
    assert isinstance(chat, Webhook)
    assert chat.shown == "https://hooks.example.org/…"
    assert "s3cret" not in repr(hooks)
    assert secret_variables(sections) == {"URL"}


@pytest.mark.parametrize(
    ("section", "field"),
    [
        (HookSection(events=("all",)), "hooks.x"),
        (HookSection(events=("all",), command="a", webhook="https://h/"), "hooks.x"),
        (HookSection(events=("all",), command="'open"), "hooks.x.command"),
        (HookSection(events=("all",), webhook="file:///etc/s3cret"), "hooks.x.webhook"),
        (HookSection(events=("all",), webhook="https:///s3cret"), "hooks.x.webhook"),
        (HookSection(events=("all",), webhook="https://h:x/s3cret"), "hooks.x.webhook"),
        (HookSection(events=("all",), webhook="http://h/s3cret\r\nX: y"), "hooks.x.webhook"),
        (HookSection(events=("all",), webhook_env="UNSET"), "hooks.x.webhook_env"),
    ],
)
def test_a_bad_hook_is_refused_without_telling_its_address(
    section: HookSection, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_hooks({"x": section}, {})
    assert caught.value.field == field
    assert "s3cret" not in caught.value.message
