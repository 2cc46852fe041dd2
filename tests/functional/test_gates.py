"""Gates through the command: the rules of today, and what agents may not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.functional.baton import Baton

Clones = Callable[[str], Baton]


def push_rules(clone: Baton, text: str) -> None:
    clone.commit("main", "baton.toml", text)
    clone.git("push", "-q", "origin", "main")


def test_a_landing_asks_for_the_rules_of_this_moment(clones: Clones) -> None:
    """I9: what was read a moment ago may serve to show a task, not to open its gate."""
    one, two = clones("one"), clones("two")
    one.ok("add", "One", "--id", "t1", "--gate", "release")
    one.ok("approve", "t1")
    token = one.ok("claim", "t1")["claims"][0]["token"]
    push_rules(two, '[gates.release]\napprovers = ["somebody else"]\n')
    refused = one("done", "t1", "--token", token, "--json")
    assert (refused.status, refused.error["code"]) == (77, "gate_closed")
    push_rules(two, "")
    assert one.ok("done", "t1", "--token", token)["status"] == "done"


def test_a_claim_asks_for_the_rules_of_this_moment(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    one.ok("add", "One", "--id", "t1", "--gate", "release")
    one.ok("approve", "t1")
    push_rules(two, '[gates.release]\napprovers = ["somebody else"]\n')
    refused = one("claim", "t1", "--json")
    assert (refused.status, refused.error["code"]) == (75, "waiting")


@pytest.mark.parametrize("env", [{"BATON_TASK": "t0"}, {"BATON_TOKEN": f"t0:1:{'0' * 32}"}])
@pytest.mark.parametrize(
    "words",
    [
        ["edit", "t1", "--title", "Other"],
        ["approve", "t1"],
        ["approve", "t1", "--revoke"],
        ["unblock", "t1", "--answer", "do this instead"],
        ["reject", "t1", "--reason", "do this instead"],
        ["accept", "t1"],
    ],
)
def test_agents_do_not_decide_about_tasks(
    baton: Baton, words: list[str], env: Mapping[str, str]
) -> None:
    """I9: nor do they put words into the prompt of a task that they do not hold."""
    baton.ok("add", "One", "--id", "t1", "--gate", "release")
    before = baton.ok("log")
    refused = baton.acting(**env)(*words, "--json")
    assert (refused.status, refused.error["code"]) == (77, "gate_closed")
    assert f"baton {words[0]}" in str(refused.error["next"])
    assert baton.ok("log") == before
