"""Errors carry data, and keep it on the way to another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GitFailed,
    HostRefused,
    InvalidInput,
    NothingToClaim,
    OutcomeUnknown,
    Refused,
    TaskExists,
    UnknownTask,
    WrongStatus,
)

ERRORS = [
    BatonError("plain", next="baton help"),
    InvalidInput("id", "is too long"),
    Refused("no", code="because"),
    UnknownTask("t1"),
    TaskExists("t1"),
    WrongStatus("t1", "done", "renew"),
    NothingToClaim("empty", "no task is open"),
    ClaimLost("t1", "it was taken back"),
    HostRefused("no", ref="refs/heads/main"),
    OutcomeUnknown("the answer was lost"),
    GitFailed(["git", "-C", "x", "push", "origin"], 128, "fatal: no\n"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_keeps_what_it_carries(error: BatonError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert (str(again), again.code, vars(again)) == (str(error), error.code, vars(error))
