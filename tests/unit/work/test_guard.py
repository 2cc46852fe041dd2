"""The guard's reading of process tables. What it does to processes: tests/integration."""

from __future__ import annotations

import os

from gitbaton.work.guard import family, parse_ps, process_table

PS = """\
    1     0     1 Ss   /sbin/launchd HOME=/
  100     1   100 Ss   python worker.py
  200   100   200 S    python guard.py BATON_CLAIM_MARK=f00
  201   200   201 S+   agent --flag PATH=/bin BATON_CLAIM_MARK=f00 X=1
  202   201   201 Z    (sh)
  203     1   203 Ss   daemon BATON_CLAIM_MARK=f00
  204   203   203 S    child of the daemon, environment cleared
  300     1   300 S    other BATON_CLAIM_MARK=f000
  301     1   301 S    BATON_CLAIM_MARK=f0

garbled
"""


def test_a_family_is_the_descendants_and_whoever_has_the_mark() -> None:
    found = family(parse_ps(PS, "f00"), 200)
    assert {row[0] for row in found} == {201, 203, 204}


def test_without_a_mark_only_descendants_count() -> None:
    assert {row[0] for row in family(parse_ps(PS, None), 200)} == {201}


def test_the_root_itself_is_never_in_its_family() -> None:
    table = [(5, 6, 5, True), (6, 5, 5, False), (7, 6, 7, False)]  # a loop, as a torn read shows
    assert {row[0] for row in family(table, 5)} == {6, 7}


def test_this_process_is_in_the_table_with_its_parent_and_group() -> None:
    assert (os.getpid(), os.getppid(), os.getpgrp(), False) in process_table("no such mark")
