"""Which refs are deltas and presences, and which only look like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.answers import is_ref_name

REFS = FrameRefs()


def is_name(text: str) -> bool:
    try:
        return agent_name(text) == text
    except InvalidInput:
        return False


@given(st.integers(0, 10**11), st.text(max_size=40).filter(is_name))
def test_a_name_and_its_ref_are_one(frame: int, worker: str) -> None:
    """I8: whatever a worker is called, its refs are refs, and nobody else's."""
    pair = Pair(frame, worker)
    delta, presence = REFS.delta(pair), REFS.presence(worker)
    assert is_ref_name(delta) and is_ref_name(presence)
    assert REFS.parse_delta(delta) == pair and REFS.parse_presence(delta) is None
    assert REFS.parse_presence(presence) == worker and REFS.parse_delta(presence) is None


@pytest.mark.parametrize(
    "rest",
    [
        "01/ada",
        "-1/ada",
        "+1/ada",
        "1",
        "1/",
        "1/ada/more",
        "\u0661/ada",
        "9" * 5000 + "/ada",
        "1/%ed%a0%80",  # half a character: it could not be written as JSON
        "1/%0a",
        "1/%1b%5b2j",
        "1/Ada",  # written as %41da
        "live/%0a",
        "primary",
    ],
)
def test_what_only_looks_like_a_delta_is_none(rest: str) -> None:
    """I8: a ref that nobody of ours has made is nobody's."""
    assert REFS.parse_delta(REFS.root + rest) is None
    assert REFS.parse_presence(REFS.root + rest) is None


def test_a_command_names_its_world() -> None:
    assert REFS.command("log") == "baton frame log"
    assert FrameRefs(branch="towns/bay").command("log") == "baton frame log --world towns/bay"
    assert FrameRefs(branch="a;b").command("log") == "baton frame log --world 'a;b'"


def test_a_world_is_a_branch() -> None:
    assert FrameRefs(branch="towns/bay").world == "refs/heads/towns/bay"
    with pytest.raises(InvalidInput):
        FrameRefs(branch="a..b")


@pytest.mark.parametrize("branch", ["towns/bay", "5", "live", "primary"])
def test_two_worlds_of_one_remote_do_not_see_each_other(branch: str) -> None:
    """I3: what one world sets aside would be lost to the other."""
    other = FrameRefs(branch=branch)
    for ref in (other.delta(Pair(3, "ada")), other.presence("ada"), other.lease):
        assert is_ref_name(ref) and ref != REFS.lease
        assert REFS.parse_delta(ref) is None and REFS.parse_presence(ref) is None
    for ref in (REFS.delta(Pair(3, "ada")), REFS.presence("ada")):
        assert other.parse_delta(ref) is None and other.parse_presence(ref) is None
