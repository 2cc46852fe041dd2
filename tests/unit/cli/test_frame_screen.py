"""What a worker of frames tells people: a stream that failed is never passed over in silence."""

from __future__ import annotations

from gitbaton.cli.frame.recording import place_words
from gitbaton.cli.frame.screen import news_line
from gitbaton.frames.codec import Quarantined
from gitbaton.frames.news import News, counted


def test_a_stream_that_failed_names_the_file_with_what_it_printed() -> None:
    detail = {"stream": "1", "outcome": "failed", "detail": "exit status 2", "log": "/w/out.log"}
    line = news_line(News("stream", 7, "stream 1 failed: exit status 2", detail))
    assert line == (
        "frame 7    stream    stream 1 failed: exit status 2; what it printed: /w/out.log"
    )


def test_the_frame_is_named_once() -> None:
    assert news_line(News("published", 7, "frame 7: 1 delta")) == "frame 7    published 1 delta"
    assert news_line(News("delivered", 7, "frame 7: delivered")) == "frame 7    delivered"


def test_one_is_not_many() -> None:
    assert [counted(n, "delta") for n in (0, 1, 2)] == ["0 deltas", "1 delta", "2 deltas"]


def test_what_was_put_aside_is_a_line_a_stream_or_a_whole_delta() -> None:
    assert place_words(Quarantined(3, "w", "1", 7, "no op")) == "w, stream 1, line 7 of frame 3"
    assert place_words(Quarantined(3, "w", "1", 0, "more", more=9)) == (
        "w, stream 1 of frame 3 (9 lines)"
    )
    assert place_words(Quarantined(3, "w", "", 0, "the host refused it")) == "w of frame 3"
