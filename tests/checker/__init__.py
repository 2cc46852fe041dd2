"""The independent checker: were the invariants of ``design.md`` kept in a run that is over?

It imports nothing of gitbaton and asks no clone: its evidence is one bare repository, the remote,
read through the git binary. The format of records, the table of statuses and the meaning of path
globs are written here a second time, from the design and not from the code.
"""

from tests.checker.check import check
from tests.checker.finding import Finding, Invariant
from tests.checker.landings import Report

__all__ = ["Finding", "Invariant", "Report", "check"]
