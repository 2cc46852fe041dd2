"""What is printed cannot steer a terminal (I8)."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.cli.output import Output, encode_json, neutralise, one_line

STEERING = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066", "\u2028"]


def steers(text: str, *, allowed: str = "\n\t") -> bool:
    return any(mark in text for mark in STEERING if mark not in allowed)


def output(**flags: bool) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, {}, **flags), out, err


def say_all(to: Output) -> None:
    to.hint("next")
    to.note("by the way")
    to.detail("more")
    to.complain("wrong")


@given(st.text(st.characters()) | st.text(st.sampled_from(STEERING)))
def test_nothing_printed_steers(text: str) -> None:
    assert not steers(neutralise(text))
    assert not steers(one_line(text), allowed="")
    clean = text.encode("utf-8", "replace").decode()
    assert not steers(encode_json({"title": clean}), allowed="")
    assert json.loads(encode_json({"title": clean})) == {"title": clean}


def test_escape_sequences_are_shown_not_sent() -> None:
    to, out, err = output()
    to.say("\x1b[2J\u202etxt")
    to.complain("\x9b31m")
    to.table(("A", "B"), [("\x1b]0;title\x07", ("[red]x[/red]\nnext", "green"))])
    assert out.getvalue().startswith("\\x1b[2J\\u202etxt\n")
    assert err.getvalue() == "\\x9b31m\n"
    assert "\\x1b]0;title\\x07" in out.getvalue()
    assert "[red]x[/red] next" in out.getvalue(), "markup in a title is text"


def test_json_or_words_and_never_both() -> None:
    to, out, err = output(json=True)
    to.answer({"a": 1}, lambda o: o.say("words"))
    assert (out.getvalue(), err.getvalue()) == ('{"a":1}\n', "")
    to, out, err = output()
    to.answer({"a": 1}, lambda o: o.say("words"))
    assert (out.getvalue(), err.getvalue()) == ("words\n", "")


def test_quiet_says_less_and_verbose_more() -> None:
    to, out, err = output(quiet=True)
    say_all(to)
    assert (out.getvalue(), err.getvalue()) == ("", "wrong\n")
    to, out, err = output(verbose=True)
    say_all(to)
    assert (out.getvalue(), err.getvalue()) == ("next\n", "by the way\nmore\nwrong\n")


def test_a_table_in_a_pipe_is_not_cut() -> None:
    to, out, _ = output()
    place = "/home/ann/" + "long/" * 30 + "end"
    to.table(("SESSION", "PROCESS", "WHERE"), [("ann", "12", place), ("b", "3", "here")])
    assert out.getvalue().splitlines() == [
        "SESSION  PROCESS  WHERE",
        f"ann      12       {place}",
        "b        3        here",
    ]


def test_on_a_terminal_the_last_column_gives_way() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    to = Output(out, io.StringIO(), {"COLUMNS": "30", "NO_COLOR": "1", "TERM": "dumb"})
    to.table(("SESSION", "PROCESS", "WHERE"), [("ann", "12", "/a/very/long/path")])
    assert out.getvalue().splitlines() == [
        "SESSION  PROCESS  WHERE",
        "ann      12       /a/very/lon…",
    ]
