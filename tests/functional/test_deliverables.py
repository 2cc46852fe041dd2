"""A task that promises files is not done without them, whoever says so."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.functional.baton import Baton

Clones = Callable[[str], Baton]


@pytest.fixture
def one(clones: Clones) -> Baton:
    made = clones("one")
    draft = {"id": "t1", "title": "Write the page", "deliverable": "files:\npage*.md"}
    made.ok("add", "--from", "-", stdin=json.dumps(draft))
    made.ok("claim", "t1")
    return made


def test_a_branch_without_the_files_is_refused(one: Baton) -> None:
    """I9: what is promised and is not there has not passed."""
    one.commit("feature", "src.py", "pass\n")
    refused = one("done", "t1", "--branch", "feature", "--json")
    assert (refused.status, refused.error["code"]) == (1, "not_delivered")
    assert "no file page*.md" in refused.error["message"]
    assert refused.error["next"] == "baton done t1 --branch BRANCH"
    assert one.ok("show", "t1")["status"] == "in-progress", "nothing was published, the claim stays"
    assert "feature" not in one.git("ls-remote", "origin")
    one.commit("feature", "page-one.md", "# Page\n")
    assert one.ok("done", "t1", "--branch", "feature")["status"] == "done"


def test_words_alone_deliver_no_files(one: Baton) -> None:
    refused = one("done", "t1", "--result", "all written", "--json")
    assert (refused.status, refused.error["code"]) == (1, "not_delivered")
    assert "say which commit has its files" in refused.error["message"]


def test_what_waited_offline_is_looked_at_when_it_lands(one: Baton) -> None:
    one.commit("feature", "src.py", "pass\n")
    url = one.git("remote", "get-url", "origin").strip()
    one.git("remote", "set-url", "origin", f"{url}.away")
    assert one.ok("done", "t1", "--branch", "feature")["queued"] is True
    one.git("remote", "set-url", "origin", url)
    [sent] = one.ok("sync")["sent"]
    assert sent["fate"] == "rescued"
    assert one.ok("show", "t1")["status"] != "done"


def test_who_lost_the_claim_is_told_that_first(one: Baton) -> None:
    one.ok("release", "t1")
    refused = one("done", "t1", "--token", "t1:1:" + "0" * 32, "--json")
    assert (refused.status, refused.error["code"]) == (76, "claim_lost")
