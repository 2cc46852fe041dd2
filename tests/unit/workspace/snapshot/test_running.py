"""What is kept of what hooks print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.workspace.snapshot.proposal import HookSettings
from gitbaton.workspace.snapshot.running import Output


@given(st.lists(st.binary(max_size=40)), st.integers(min_value=2, max_value=60))
def test_beginning_and_end_are_kept_and_everything_is_told(parts: list[bytes], cap: int) -> None:
    told = bytearray()
    output = Output(told.extend, cap=cap)
    for part in parts:
        output.write(part)
    whole = b"".join(parts)
    assert told == whole
    half = cap // 2
    if len(whole) <= 2 * half:
        assert output.content() == whole
    else:
        line = b"\n[baton: %d bytes dropped here]\n" % (len(whole) - 2 * half)
        assert output.content() == whole[:half] + line + whole[-half:]


def test_a_cap_that_is_of_no_use_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        HookSettings(cap=10)
