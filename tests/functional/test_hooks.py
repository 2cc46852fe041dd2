"""What could not be told to hooks is shown, tried again and dropped."""

from __future__ import annotations

from gitbaton.app import open_app
from gitbaton.fleet import Fleet
from gitbaton.hooks.event import Event
from tests.functional.baton import Baton


def bury(baton: Baton, *ids: str) -> None:
    """Put events aside, as a worker does whose hook does not take them."""
    app = open_app(baton.directory, baton.environment())
    queue = Fleet(app).hook_queue
    for id in ids:
        queue.put(Event(id=id, event="done", at="2026-05-07T03:12:00Z", text="x"), ["chat"])
    for entry in queue.waiting():
        queue.bury(entry, "https://hooks.example.org/… answered 404: no success")
    app.close()


def test_events_that_were_put_aside(baton: Baton) -> None:
    assert baton.ok("hooks", "list") == {"waiting": [], "dead": []}
    assert "nothing waits" in baton("hooks", "list").out
    bury(baton, "e1", "e2", "e3")
    dead = baton.ok("hooks", "list")["dead"]
    assert [(entry["id"], entry["hook"], entry["attempts"]) for entry in dead] == [
        ("e1", "chat", 1),
        ("e2", "chat", 1),
        ("e3", "chat", 1),
    ]
    assert "answered 404" in baton("hooks", "list").out
    refused = baton("hooks", "drop", "e9", "--json")
    assert (refused.status, refused.error["code"]) == (1, "unknown_event")
    assert baton.ok("hooks", "drop", "e1") == {"dropped": 1}
    assert baton.ok("hooks", "retry", "e2") == {"waiting": 1}
    left = baton.ok("hooks", "list")
    assert [entry["id"] for entry in left["waiting"]] == ["e2"]
    assert baton.ok("hooks", "retry") == {"waiting": 1}
    assert baton.ok("hooks", "list")["dead"] == []


def test_the_doctor_knows_hooks_and_keeps_their_secret(baton: Baton) -> None:
    (baton.directory / "baton.toml").write_text(
        '[hooks.chat]\nevents = ["done", "alert"]\nwebhook_env = "CHAT"\nform = "slack"\n'
        '[hooks.log]\nevents = ["all"]\ncommand = "logger -t baton"\n'
    )
    bury(baton.acting(CHAT="https://hooks.example.org/s3cret"), "e1")

    def told(who: Baton) -> list[tuple[str, str]]:
        answer = who("doctor", "--json")
        assert "s3cret" not in answer.out + answer.err
        found = answer.json["findings"]
        return [(f["level"], f["text"]) for f in found if f["subject"] == "hooks"]

    aside = "1 events could not be told; the last: "
    aside += "https://hooks.example.org/… answered 404: no success"
    assert told(baton.acting(CHAT="https://hooks.example.org/s3cret")) == [
        ("warning", aside),
        ("ok", "chat: https://hooks.example.org/… is told of alert, done"),
        ("ok", "log: logger is told of all"),
    ]
    [_, (level, text)] = told(baton)
    assert (level, text) == ("problem", "hooks.chat.webhook_env: the variable CHAT is not set")
