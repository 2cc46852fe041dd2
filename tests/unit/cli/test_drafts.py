"""Reading tasks from a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.cli.drafts import parse_drafts, with_defaults
from gitbaton.cli.output import encode_json
from gitbaton.core.config import Config, QueueSection, Seconds
from gitbaton.core.errors import InvalidInput
from gitbaton.tasks.drafts import Draft


def test_lines_a_list_and_a_document_are_all_read() -> None:
    lines = parse_drafts('{"title": "a"}\n\n{"title": "b"}\r\n', "f")
    assert [draft.title for draft in lines.drafts] == ["a", "b"]
    assert lines.places == ("f:1", "f:3")
    document = parse_drafts('{"tasks": [{"title": "a"}, {"id": "b"}]}', "f")
    assert [draft.title for draft in document.drafts] == ["a", "b"]
    assert parse_drafts('[{"title": "a"}]', "f").drafts == lines.drafts[:1]


def test_what_is_finished_is_left_out_with_the_needs_on_it() -> None:
    batch = parse_drafts(
        '{"tasks": [{"id": "a", "status": "done"}, {"id": "b", "needs": ["a", "c"]},'
        ' {"id": "c", "status": "failed"}]}',
        "f",
    )
    assert batch.finished == ("a",)
    assert [(draft.id, draft.needs) for draft in batch.drafts] == [("b", ("c",)), ("c", ())]


def refusal(text: str) -> str | None:
    """Return the field that a refusal of ``text`` names, None if it is read."""
    try:
        parse_drafts(text, "f")
    except InvalidInput as error:
        return error.field
    return None


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    field = refusal(text)
    assert field is None or field.startswith(("f:", "--from"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["title", "id", "needs", "timeout", "priority", "checks", "gate", "status"]
        ),
        json_values,
    )
)
def test_any_object_is_read_or_refused_with_its_place(fields: dict[str, object]) -> None:
    field = refusal(encode_json({"tasks": [fields]}))
    assert field is None or field.startswith("f: tasks[0]")


def test_the_configured_timeout_is_for_those_without_one() -> None:
    config = Config(queue=QueueSection(timeout=Seconds(60)))
    assert with_defaults(Draft(title="a"), config).timeout == 60
    assert with_defaults(Draft(title="a", timeout=5.0), config).timeout == 5
    assert with_defaults(Draft(title="a"), Config()).timeout is None


def test_nothing_to_add_is_a_mistake() -> None:
    for text in ("", "\n\n", "[]", '{"tasks": []}'):
        with pytest.raises(InvalidInput, match="no task"):
            parse_drafts(text, "f")
