"""Packs are joined, and nothing in them is lost, whoever can reach it."""

from __future__ import annotations

from pathlib import Path

from gitbaton.git.objects import make_object
from gitbaton.git.packfile import encode_pack
from gitbaton.git.packs import roll_up
from tests.integration.store.place import make_place


def test_packs_and_loose_objects_are_joined_and_all_objects_stay(tmp_path: Path) -> None:
    """I3: no ref of this repository names them; the remote may."""
    place = make_place(tmp_path)
    repository = place.repository()
    objects = repository.objects
    blobs = [make_object("blob", b"%d" % n, objects.format) for n in range(30)]
    for blob in blobs[:20]:
        pack = encode_pack([blob], objects.format)
        repository.git.run("index-pack", "--stdin", stdin=pack)
    objects.write(blobs[20:])
    assert objects.read(blobs[0].oid)[1] == b"0"
    assert not roll_up(repository, above=20)
    assert roll_up(repository, above=10)
    assert len(list((repository.path / "objects" / "pack").glob("*.pack"))) == 1
    assert [body for _, body in objects.read_many([b.oid for b in blobs])] == [
        b.body for b in blobs
    ], "also by the reader that had the old packs open"
    place.close()
