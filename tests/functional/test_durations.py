"""Durations of ``baton.toml`` reach the records as plain seconds."""

from __future__ import annotations

from tests.functional.baton import Baton

CONFIG = """
[queue]
lease = "2m"
timeout = "1h"
backoff = "90s"
backoff_limit = "90s"
"""


def test_configured_durations_are_kept_with_a_task(baton: Baton) -> None:
    baton.commit("main", "baton.toml", CONFIG)
    assert baton.ok("add", "One", "--id", "t1")["timeout"] == 3600
    claimed = baton.ok("claim", "t1")["claims"][0]
    assert claimed["lease"] == 120
    failed = baton.ok("fail", "t1", "--token", claimed["token"], "--reason", "no luck")
    assert failed["not_before"] is not None
    assert baton.ok("add", "Two", "--id", "t2", "--timeout", "5m")["timeout"] == 300
