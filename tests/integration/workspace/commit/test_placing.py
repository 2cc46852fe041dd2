"""Files are brought into a working tree where nobody has changed them, and nowhere else (I3)."""

from __future__ import annotations

import os
from pathlib import Path

from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, SYMLINK, Entry
from gitbaton.git.placing import Placed, Wish, place_files
from tests.integration.workspace.commit.house import House


def blob(house: House, text: str, mode: int = FILE) -> Entry:
    """Store ``text`` and return an entry of it."""
    return Entry(mode, Oid(house.git("hash-object", "-w", "--stdin", stdin=text.encode())))


def place(house: House, *wishes: Wish) -> list[Placed]:
    """Place ``wishes`` and check that nothing is left of the way."""
    tree = house.checkout().tree
    found = place_files(tree, wishes, directory=tree.state / "commit")
    assert list((tree.state / "commit").iterdir()) == []
    assert not [name for name in house.on_disk() if ".baton-" in name]
    return found


def test_unchanged_files_follow_and_changed_ones_stay(house: House) -> None:
    a, b, new = blob(house, "a\n"), blob(house, "b\n"), blob(house, "new\n")
    (house.top / "a.txt").chmod(0o640)
    house.write("b.txt", "edited\n")
    house.write("there.txt", "untracked\n")
    found = place(
        house,
        Wish(b"a.txt", a, new),
        Wish(b"b.txt", b, new),
        Wish(b"there.txt", None, new),
        Wish(b"deep/down/made.txt", None, new),
        Wish(b"d.txt", blob(house, "d\n"), None),
        Wish(b"dir/c.txt", blob(house, "c\n"), None),
    )
    assert {item.path: item.fate for item in found} == {
        b"a.txt": "placed",
        b"b.txt": "changed",
        b"there.txt": "changed",
        b"deep/down/made.txt": "placed",
        b"d.txt": "placed",
        b"dir/c.txt": "placed",
    }
    disk = house.on_disk()
    assert (disk["a.txt"], disk["b.txt"], disk["there.txt"]) == (
        b"new\n",
        b"edited\n",
        b"untracked\n",
    )
    assert disk["deep/down/made.txt"] == b"new\n"
    assert "d.txt" not in disk
    assert not (house.top / "dir").exists(), "as git does with a directory that got empty"
    assert (house.top / "a.txt").stat().st_mode & 0o777 == 0o640


def test_what_is_there_already_counts_as_placed(house: House) -> None:
    a, new = blob(house, "a\n"), blob(house, "new\n")
    assert place(house, Wish(b"a.txt", a, new))[0].fate == "placed"
    assert place(house, Wish(b"a.txt", a, new))[0].fate == "placed"
    assert place(house, Wish(b"gone", a, None))[0].fate == "placed"


def test_modes_and_links(house: House) -> None:
    a, tool = blob(house, "a\n"), blob(house, "a\n", EXECUTABLE)
    link = blob(house, "a.txt", SYMLINK)
    place(house, Wish(b"a.txt", a, tool), Wish(b"b.txt", blob(house, "b\n"), link))
    assert os.access(house.top / "a.txt", os.X_OK)
    assert (house.top / "b.txt").readlink() == Path("a.txt")
    place(house, Wish(b"b.txt", link, a), Wish(b"new-link", None, link))
    assert (house.top / "b.txt").read_bytes() == b"a\n" and not (house.top / "b.txt").is_symlink()
    assert (house.top / "new-link").readlink() == Path("a.txt")


def test_no_link_is_followed_out_of_the_tree(house: House, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (house.top / "way").symlink_to(tmp_path / "out")
    [found] = place(house, Wish(b"way/x", None, blob(house, "x")))
    assert (found.fate, list((tmp_path / "out").iterdir())) == ("unsafe", [])


def test_line_ends_and_filters_apply(house: House) -> None:
    house.write(".gitattributes", "*.txt text eol=crlf\n")
    house.write("a.txt", "a\r\n")
    [found] = place(house, Wish(b"a.txt", blob(house, "a\n"), blob(house, "one\ntwo\n")))
    assert found.fate == "placed"
    assert house.on_disk()["a.txt"] == b"one\r\ntwo\r\n"


def test_one_that_cannot_be_read_does_not_spoil_the_others(house: House) -> None:
    (house.top / "b.txt").unlink()
    (house.top / "b.txt").mkdir()
    new = blob(house, "new\n")
    found = place(
        house,
        Wish(b"a.txt", blob(house, "a\n"), new),
        Wish(b"b.txt", blob(house, "b\n"), new),
        Wish(b"d.txt", blob(house, "d\n"), new),
    )
    assert [item.fate for item in found] == ["placed", "changed", "placed"]
