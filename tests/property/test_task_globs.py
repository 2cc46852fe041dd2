"""Glob intersection against brute force: every short path over a small alphabet."""

from __future__ import annotations

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.tasks.globs import common_file, match


def to_regex(glob: str) -> re.Pattern[str]:
    """Translate a glob by the words of its documentation, independently of the code."""
    glob = glob[:-1] if glob.endswith("**/") else glob
    below = glob.endswith("/")
    parts = glob.rstrip("/").split("/")
    plain_end = not below and not re.search(r"[*?[]", parts[-1])
    pattern = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            pattern += "(?:[^/]+/)*[^/]+" if last else "(?:[^/]+/)*"
            continue
        for token in re.findall(r"\[[!^]?.[^\]]*\]|.", part):
            if token == "*":
                pattern += "[^/]*"
            elif token == "?":
                pattern += "[^/]"
            elif token.startswith("[") and len(token) > 1:
                inside = token[1:-1]
                negated = inside[0] in "!^"
                inside = inside[1:] if negated else inside
                escaped = "".join(f"\\{c}" if c in r"\[]^" else c for c in inside)
                pattern += f"(?!/)[{'^' if negated else ''}{escaped}]"
            else:
                pattern += re.escape(token)
        pattern += "" if last else "/"
    if below:
        pattern += "/(?:[^/]+/)*[^/]+"
    elif plain_end:
        pattern += "(?:/[^/]+)*"
    return re.compile(pattern)


def is_path(text: str) -> bool:
    return all(part not in ("", ".", "..") for part in text.split("/"))


PATHS = [
    path
    for length in range(1, 7)
    for path in map("".join, itertools.product("ab./", repeat=length))
    if is_path(path)
]

atom = st.sampled_from(["a", "b", ".", "?", "*", "[ab]", "[!a]", "[.b]", "[^.]"])
name = (
    st.lists(atom, min_size=1, max_size=3)
    .map("".join)
    .filter(lambda text: "**" not in text and text not in (".", ".."))
)
glob = st.builds(
    lambda parts, slash: "/".join(parts) + slash,
    st.lists(st.one_of(name, st.just("**")), min_size=1, max_size=2),
    st.sampled_from(["", "/"]),
)


def by_hand(glob: str, path: str) -> bool:
    return to_regex(glob).fullmatch(path) is not None


@settings(max_examples=150, deadline=None)
@given(glob=glob, path=st.sampled_from(PATHS))
def test_match_agrees_with_its_documentation(glob: str, path: str) -> None:
    assert match(glob, path) is by_hand(glob, path)


@settings(max_examples=150, deadline=None)
@given(one=glob, other=glob)
def test_two_globs_meet_exactly_when_some_file_matches_both(one: str, other: str) -> None:
    shared = common_file(one, other)
    if shared is None:
        a, b = to_regex(one), to_regex(other)
        assert not any(a.fullmatch(path) and b.fullmatch(path) for path in PATHS)
    else:
        assert is_path(shared)
        assert by_hand(one, shared)
        assert by_hand(other, shared)


@settings(max_examples=100, deadline=None)
@given(one=glob, other=glob)
def test_meeting_is_mutual(one: str, other: str) -> None:
    assert (common_file(one, other) is None) == (common_file(other, one) is None)
    assert common_file(one, one) is not None or "." in one
