"""What is on the disk before a branch moves: as core.fsync says, and by default as git has it."""

from __future__ import annotations

import os

import pytest

from gitbaton.git.reftransaction import RefTransaction
from tests.integration.workspace.commit.house import House


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [("", set()), ("reference", {"moves"}), ("committed", {"moves", "objects"})],
)
def test_what_is_written_through_before_the_branch_moves(
    house: House, setting: str, wanted: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the journal tells of a move if any of it may have reached the disk."""
    house.git("config", "core.fsync", setting)
    synchronised: list[os.stat_result] = []
    before: list[os.stat_result] = []
    fsync, prepare = os.fsync, RefTransaction.prepare

    def note(handle: int) -> None:
        synchronised.append(os.fstat(handle))
        fsync(handle)

    def begin(ref: RefTransaction) -> None:
        before.extend(synchronised)
        prepare(ref)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(RefTransaction, "prepare", begin)
    house.write("dir/deep/one", "1\n")
    house.commit("dir/deep/one")
    moves = (house.top / ".git/baton/moves").stat().st_ino
    objects = {path.stat().st_ino for path in (house.top / ".git/objects").glob("*/*")}
    inodes = [found.st_ino for found in before]
    found = {"moves"} if moves in inodes else set()
    assert found | ({"objects"} if objects & set(inodes) else set()) == wanted
    if wanted:
        assert inodes[-1] == moves, "the journal's name comes last, after what is in it"
        assert inodes[-2] not in objects
