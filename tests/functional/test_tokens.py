"""Who may use a token that is stored in the clone, through processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.functional.baton import COMMAND, Baton


def claim(baton: Baton, task: str) -> str:
    token: str = baton.ok("claim", task, "--create")["claims"][0]["token"]
    return token


@pytest.mark.parametrize("name", ["BATON_SESSION", "BATON_AGENT"])
def test_a_named_session_uses_its_own_token_only(baton: Baton, name: str) -> None:
    mine, other = baton.acting(**{name: "one"}), baton.acting(**{name: "two"})
    claim(mine, "t1")
    for stranger in (other, baton):
        refused = stranger("done", "t1", "--json")
        assert (refused.status, refused.error["code"]) == (76, "claim_lost")
        assert "--token" in refused.error["message"]
    assert mine.ok("done", "t1")["status"] == "done"


def test_a_token_proves_the_claim_from_anywhere(baton: Baton) -> None:
    token = claim(baton.acting(BATON_AGENT="one"), "t1")
    other = baton.acting(BATON_AGENT="two")
    assert other.ok("renew", "t1", "--token", token)["tasks"][0]["id"] == "t1"
    assert other.acting(BATON_TOKEN=token).ok("done", "t1")["status"] == "done"


def test_a_token_of_another_task_proves_nothing(baton: Baton) -> None:
    token = claim(baton, "t1")
    claim(baton.acting(BATON_AGENT="two"), "t2")
    assert baton("done", "t2", "--token", token).status == 2
    assert baton.acting(BATON_TOKEN=token)("done", "t2").status == 76
    assert baton("done", "t2", "--token", "rubbish").status == 2


def test_without_a_name_a_session_must_be_alone(baton: Baton) -> None:
    claim(baton, "t1")
    claim(baton.acting(BATON_SESSION="two"), "t2")
    refused = baton("done", "t1", "--json")
    assert refused.status == 76
    assert "another session is active" in refused.error["message"]
    assert baton.acting(BATON_SESSION="two").ok("done", "t2")["status"] == "done"
    assert baton.ok("done", "t1")["status"] == "done"


def test_a_living_login_session_is_another_one(baton: Baton) -> None:
    """A shell in a session of its own claims and stays; we are not it."""
    script = (
        "import subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr);"
        "print('claimed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, *COMMAND, "claim", "t1", "--create"],
        cwd=baton.directory,
        env=baton.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        assert baton("done", "t1").status == 76
        other.communicate("")
    assert baton.ok("done", "t1")["status"] == "done", "its session has ended"


def test_a_lost_claim_says_who_holds_the_task_now(baton: Baton) -> None:
    token = claim(baton.acting(BATON_AGENT="one"), "t1")
    baton.ok("release", "t1", "--token", token)
    baton.acting(BATON_AGENT="two").ok("claim", "t1")
    refused = baton("done", "t1", "--token", token, "--json")
    assert (refused.status, refused.error["code"]) == (76, "claim_lost")
    assert "held by two (epoch 2)" in refused.error["message"]
    assert refused.error["next"] == "baton show t1"


def test_renew_alone_renews_all_of_mine_and_tells_of_the_lost(baton: Baton) -> None:
    mine = baton.acting(BATON_AGENT="one")
    first = claim(mine, "t1")
    claim(mine, "t2")
    claim(baton.acting(BATON_AGENT="two"), "t3")
    assert {task["id"] for task in mine.ok("renew")["tasks"]} == {"t1", "t2"}
    # Ended elsewhere, by the token: this clone still has it stored.
    mine.ok("cancel", "t1")
    answer = mine("renew", "--json")
    assert answer.status == 76
    assert [task["id"] for task in answer.json["tasks"]] == ["t2"]
    assert [lost["task"] for lost in answer.json["lost"]] == ["t1"]
    assert first not in answer.out
    assert mine("renew").status == 0, "what is lost is forgotten"


def test_no_token_is_shown_by_reading_verbs(baton: Baton) -> None:
    secret = claim(baton, "t1").rpartition(":")[2]
    for words in (["show", "t1"], ["list"], ["status"], ["log", "t1"], ["why", "t1"]):
        assert secret not in baton(*words, "--json").out
        assert secret not in baton(*words).out
