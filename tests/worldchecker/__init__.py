"""The independent checker of shared worlds: was every op of a run applied exactly once?

It imports nothing of gitbaton and asks no clone: its evidence is one bare repository, read through
the git binary, and the ledger that the streams kept for themselves. What a merge gives is written
here a second time, from the design and not from the code, for the kinds of ops that runs use.
"""

from tests.worldchecker.check import check_world
from tests.worldchecker.finding import Finding, Promise

__all__ = ["Finding", "Promise", "check_world"]
