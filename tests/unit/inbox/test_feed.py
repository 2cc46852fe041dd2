"""A JSON-lines file as a source: nothing of it is lost, and nothing is delivered twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import InvalidInput
from gitbaton.plans.inbox.bells import FileBell
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.feed import Feed, Pulled, read_rejects
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.lines import LINE_LIMIT
from gitbaton.store.memory import MemoryStore


def line(id: object, text: str = "hello") -> str:
    return json.dumps({"id": str(id), "from": "ci", "text": text}) + "\n"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def inbox(clock: ManualClock) -> Inbox:
    return Inbox(MemoryStore(clock=clock), clock, own=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.jsonl"


@pytest.fixture
def feed(path: Path, inbox: Inbox) -> Iterator[Feed]:
    made = Feed(path, inbox)
    yield made
    made.close()


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def ids(inbox: Inbox) -> list[str]:
    return sorted(str(entry.letter.id) for entry in inbox.list().entries)


def test_lines_become_messages_in_their_order(
    feed: Feed, path: Path, inbox: Inbox, clock: ManualClock
) -> None:
    assert feed.pull() == Pulled()
    append(path, line(1, "one") + line(2, "two") + "\n" + line(3, "three"))
    assert feed.pull() == Pulled(new=3)
    assert feed.pull() == Pulled()
    clock.advance(1)
    append(path, line(4, "four"))
    assert feed.pull() == Pulled(new=1)
    texts = []
    while (message := inbox.take("bob", {""}, lease=60)) is not None:
        texts.append(message.text)
    assert texts == ["one", "two", "three", "four"]


def test_a_torn_last_line_waits(feed: Feed, path: Path, inbox: Inbox) -> None:
    whole = line(1)
    for cut in range(len(whole)):
        append(path, whole[cut])
        expected = Pulled(new=1) if whole[cut] == "\n" else Pulled()
        assert feed.pull() == expected


def test_what_is_no_message_is_kept_and_told(feed: Feed, path: Path, inbox: Inbox) -> None:
    append(path, line(1) + "{broken\n" + line(1, "other words") + line(2))
    assert feed.pull() == Pulled(new=2, rejects=2)
    broken, reused = read_rejects(inbox.store)
    assert (broken.path, broken.offset, broken.line) == (str(path), len(line(1)), "{broken")
    assert "no message" in broken.reason
    assert "another message with the id" in reused.reason
    assert ids(inbox) == ["1", "2"]


def test_bytes_that_are_no_text_are_kept_too(feed: Feed, path: Path, inbox: Inbox) -> None:
    path.write_bytes(b"\xff\xfe\n")
    assert feed.pull() == Pulled(rejects=1)
    (reject,) = read_rejects(inbox.store)
    assert reject.line == "\\xff\\xfe"


def test_a_line_without_an_end_does_not_fill_the_memory(
    feed: Feed, path: Path, inbox: Inbox
) -> None:
    append(path, "x" * (2 * LINE_LIMIT + 10))
    assert feed.pull().rejects == 1
    append(path, "still the same line\n" + line(2))
    assert feed.pull() == Pulled(new=1)
    assert ids(inbox) == ["2"]


def test_a_restart_goes_on_where_it_was(feed: Feed, path: Path, inbox: Inbox) -> None:
    append(path, line(1))
    feed.pull()
    append(path, line(2))
    again = Feed(path, inbox)
    assert again.pull() == Pulled(new=1)
    again.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_renamed_file_is_read_to_its_end(
    feed: Feed, path: Path, inbox: Inbox, *, restarted: bool
) -> None:
    append(path, line(1))
    feed.pull()
    append(path, line(2) + line(3).rstrip("\n"))
    path.rename(path.with_name("inbox.jsonl.1"))
    append(path, line(4))
    follower = Feed(path, inbox) if restarted else feed
    assert follower.pull() == Pulled(new=3)
    assert ids(inbox) == ["1", "2", "3", "4"]
    append(path, line(5))
    assert follower.pull() == Pulled(new=1)
    follower.close()


def test_a_renamed_file_whose_successor_is_late(feed: Feed, path: Path, inbox: Inbox) -> None:
    append(path, line(1))
    feed.pull()
    moved = path.with_name("elsewhere")
    path.rename(moved)
    append(moved, line(2))
    assert feed.pull() == Pulled(new=1)
    append(path, line(3))
    assert feed.pull() == Pulled(new=1)
    assert ids(inbox) == ["1", "2", "3"]


def test_a_truncated_file_is_read_from_its_start(feed: Feed, path: Path, inbox: Inbox) -> None:
    append(path, line(1) + line(2))
    feed.pull()
    path.write_text(line(3))
    assert feed.pull() == Pulled(new=1)
    path.write_text(line(3) + line(4) + line(5) + line(6))  # as long again, other bytes
    pulled = feed.pull()
    assert pulled.new == 3
    assert ids(inbox) == [str(number) for number in range(1, 7)]


def test_a_file_that_cannot_be_read_is_an_error_of_its_own(tmp_path: Path, inbox: Inbox) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(InvalidInput, match="no plain file"):
        Feed(tmp_path / "directory", inbox).pull()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InvalidInput, match="no plain file"):
        Feed(tmp_path / "fifo", inbox).pull()


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(["append", "torn", "bad", "rotate", "pull", "restart"]), max_size=25
    )
)
def test_every_whole_line_is_one_message(steps: list[str], tmp_path_factory: object) -> None:
    """Whatever is done to the file: each line that was written whole is there once."""
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    path = tmp_path_factory.mktemp("feed") / "inbox.jsonl"
    clock = ManualClock()
    inbox = Inbox(MemoryStore(clock=clock), clock, own=True)
    feed = Feed(path, inbox)
    whole: set[str] = set()
    torn = ""
    for number, step in enumerate(steps):
        if step == "append" or (step in ("bad", "rotate") and torn):
            append(path, (torn or line(number)) if not torn else torn[len(torn) // 2 :])
            whole.add(json.loads(torn or line(number))["id"])
            torn = ""
        elif step == "torn" and not torn:
            torn = line(number)
            append(path, torn[: len(torn) // 2])
        elif step == "bad":
            append(path, "bad\n")
        elif step == "rotate" and path.exists():
            feed.pull()  # a follower that looks between two rotations
            path.rename(path.with_name("inbox.jsonl.1"))
        elif step == "pull":
            feed.pull()
        elif step == "restart":
            feed.close()
            feed = Feed(path, inbox)
    append(path, torn[len(torn) // 2 :] if torn else line("last"))
    whole.add(json.loads(torn)["id"] if torn else "last")
    feed.pull()
    feed.close()
    assert ids(inbox) == sorted(whole)


def test_a_drain_is_one_queue(feed: Feed, path: Path, inbox: Inbox) -> None:
    """Both sources, one reader; a file that cannot be read does not stop the other."""
    clock = ManualClock()
    heard: list[object] = []
    broken = Feed(path.parent, inbox)
    drain = Drain(
        inbox,
        reader="bob",
        boxes={""},
        lease=60,
        clock=clock,
        bell=FileBell([path], clock),
        feeds=[broken, feed],
        told=lambda source, what: heard.append(what),
    )
    assert drain.next_message() is None
    append(path, line(1, "from the file"))
    message = drain.next_message()
    assert message is not None
    assert message.text == "from the file"
    assert Pulled(new=1) in heard
    assert any(isinstance(what, InvalidInput) for what in heard)
    before = clock.elapsed()
    assert drain.next_message(timeout=30) is None
    assert 30 <= clock.elapsed() - before < 31
    assert drain.next_message(timeout=30, should_stop=lambda: True) is None
    drain.close()


def test_a_bell_rings_when_a_file_changes(path: Path) -> None:
    class Busy(ManualClock):
        """While somebody waits for a second, the file grows."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.elapsed() - 1000 > 1:
                append(path, "x")

    clock = Busy()
    bell = FileBell([path], clock)
    bell.arm()
    bell.wait(60)
    assert 1 < clock.elapsed() - 1000 < 1.3
    bell.wait(60)
    assert clock.elapsed() - 1000 < 1.3, "it was not armed again, so it still rings"


def test_a_drain_forgets_what_was_answered_long_ago(inbox: Inbox, clock: ManualClock) -> None:
    drain = Drain(
        inbox,
        reader="bob",
        boxes={""},
        lease=60,
        clock=clock,
        bell=FileBell([], clock),
        keep=2 * 86_400,
    )
    inbox.send(make_draft(sender="ada", text="hello", id="1"))
    message = drain.next_message()
    assert message is not None
    inbox.answer(message, "hi")
    for day in range(3):
        assert len(inbox.list().entries) == (1 if day < 2 else 0)
        clock.advance(86_400)
        assert drain.next_message() is None
    assert inbox.list().entries == ()


def test_an_inbox_that_never_runs_empty_forgets_too(inbox: Inbox, clock: ManualClock) -> None:
    drain = Drain(
        inbox, reader="bob", boxes={""}, lease=60, clock=clock, bell=FileBell([], clock), keep=0
    )
    for day in range(4):
        inbox.send(make_draft(sender="ada", text="more", id=str(day)))
        inbox.send(make_draft(sender="ada", text="and more", id=f"{day}b"))
        message = drain.next_message()
        assert message is not None, "there is always one"
        inbox.answer(message, "hi")
        clock.advance(86_400)
    assert len(inbox.list().entries) == 8 - 3, "a day after the answer"


@pytest.mark.parametrize(("history", "kept"), [(None, True), (86_400.0, False)])
def test_history_is_cut_only_by_whom_it_was_said_to(
    inbox: Inbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, history: float, kept: bool
) -> None:
    cut: list[float] = []
    monkeypatch.setattr(inbox, "cut_history", lambda *, keep: cut.append(keep))
    bell = FileBell([], clock)
    drain = Drain(
        inbox, reader="bob", boxes={""}, lease=60, clock=clock, bell=bell, history=history
    )
    assert drain.next_message() is None
    assert cut == ([] if kept else [history])
