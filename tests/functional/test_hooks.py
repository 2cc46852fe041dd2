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
