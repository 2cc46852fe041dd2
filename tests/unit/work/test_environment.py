"""The environment of an agent."""

from __future__ import annotations

from pathlib import Path

from gitbaton.core.ids import Nonce
from gitbaton.work.environment import ELSEWHERE, agent_environment


def environment(base: dict[str, str], slot: int = 0, **extra: str) -> dict[str, str]:
    return agent_environment(
        base,
        task="t-1",
        token="t-1:3:abc",
        epoch=3,
        agent="laptop/w1#2",
        worktree=Path("/w"),
        prompt_file=Path("/w.prompt"),
        slot=slot,
        port_base=20_000,
        mark=Nonce("f00"),
        extra=extra,
    )


def test_the_agent_learns_what_it_works_on() -> None:
    assert environment({}) == {
        "BATON_TASK": "t-1",
        "BATON_TOKEN": "t-1:3:abc",
        "BATON_EPOCH": "3",
        "BATON_AGENT": "laptop/w1#2",
        "BATON_WORKTREE": "/w",
        "BATON_PROMPT_FILE": "/w.prompt",
        "BATON_PORT_BASE": "20000",
        "BATON_CLAIM_MARK": "f00",
        "GIT_TERMINAL_PROMPT": "0",
    }


def test_slots_have_ports_of_their_own() -> None:
    assert [environment({}, slot)["BATON_PORT_BASE"] for slot in (0, 1, 7)] == [
        "20000",
        "20100",
        "20700",
    ]


def test_what_points_git_elsewhere_is_removed_and_the_rest_kept() -> None:
    kept = {"PATH": "/bin", "GIT_AUTHOR_NAME": "Ann", "GIT_CEILING_DIRECTORIES": "/", "A": ""}
    given = {**dict.fromkeys(ELSEWHERE, "/elsewhere"), **kept}
    result = environment(given)
    assert not ELSEWHERE & set(result)
    assert kept.items() <= result.items()


def test_an_outer_session_does_not_leak_in() -> None:
    outer = {"BATON_SESSION": "s", "BATON_TOKEN": "other:1:x", "BATON_CLAIM_MARK": "outer"}
    result = environment(outer)
    assert "BATON_SESSION" not in result
    assert result["BATON_TOKEN"] == "t-1:3:abc"
    assert result["BATON_CLAIM_MARK"] == "f00"


def test_a_profile_adds_to_it_but_cannot_change_the_claim() -> None:
    result = environment({"A": "1"}, A="2", BATON_TOKEN="forged")
    assert result["A"] == "2"
    assert result["BATON_TOKEN"] == "t-1:3:abc"
