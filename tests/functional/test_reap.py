"""``baton reap``: what it takes back, when, and what it completes instead."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable

from gitbaton.app import open_app
from gitbaton.core.ids import Oid
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Landing
from tests.functional.baton import Baton
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def test_a_landing_that_has_happened_is_completed_and_not_reaped(
    clones: Clones, file_remote: BareRepository
) -> None:
    """I4: the worker died after it moved the branch, before it could say so."""
    file_remote.configure("receive.advertiseAtomic", "false")
    one, two = clones("one"), clones("two")
    one.ok("add", "One", "--id", "t1")
    token = Token.parse(one.ok("claim", "t1", "--lease", "1s")["claims"][0]["token"])
    commit = one.commit("work", "file", "text\n")
    app = open_app(one.directory, os.environ)
    app.queue.announce(token, Landing(branch="work", old=None, commit=Oid(commit)))
    app.close()
    assert two.ok("reap", "--dry-run")["reaped"] == []
    assert two.ok("show", "t1")["status"] == "in-progress", "the branch is not there"
    one.git("push", "-q", "origin", "work")
    two.ok("reap", "--dry-run")
    assert two.ok("show", "t1")["status"] == "in-progress", "a dry run changes nothing"
    answer = two("reap", "--json")
    assert answer.json == {"reaped": [], "dry_run": False}
    assert "its landing on work was completed" in answer.err
    done = two.ok("show", "t1")
    assert (done["status"], done["result"]["commit"]) == ("done", commit)


def test_watching_looks_as_often_as_the_shortest_lease_needs(baton: Baton) -> None:
    """The configured lease of 15 minutes would have it look once a minute."""
    baton.ok("claim", "t1", "--create", "--lease", "2s")
    watching = baton.start("reap", "--watch", "--json")
    assert watching.stdout is not None
    too_late = threading.Timer(50, watching.kill)
    too_late.start()
    with watching:
        told = watching.stdout.readline()
        too_late.cancel()
        watching.terminate()
    assert told, "nothing was taken back in time"
    assert json.loads(told)["task"]["id"] == "t1"
