"""Files are brought into a working tree where nobody has changed them, and nowhere else (I3)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, SYMLINK, Entry
from gitbaton.git.footing import Footing
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


@pytest.mark.parametrize("path", [b".git/hooks/post-commit", b"sub/.GIT/config", b"../evil"])
def test_nothing_enters_a_git_directory_or_leaves_the_tree(
    house: House, tmp_path: Path, path: bytes
) -> None:
    """I8: whatever path a stranger's tree has."""
    (house.top / ".git/description").write_text("mine")
    before = git_directory(house)
    mine = blob(house, "mine")
    found = place(
        house,
        Wish(path, None, blob(house, "#!/bin/sh\n", EXECUTABLE)),
        Wish(b".git/description", mine, None),
        Wish(b"a.txt", blob(house, "a\n"), blob(house, "new\n")),
    )
    assert {item.path: item.fate for item in found} == {
        path: "unsafe",
        b".git/description": "unsafe",
        b"a.txt": "placed",
    }
    assert git_directory(house) == before
    assert not (tmp_path / "evil").exists()


def git_directory(house: House) -> set[str]:
    """Return the files of the git directory, without the objects."""
    top = house.top / ".git"
    names = {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith("objects/")}


def test_a_link_and_a_directory_of_one_name_do_not_lead_out(house: House, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    link = blob(house, str(tmp_path / "out"), SYMLINK)
    found = place(house, Wish(b"d", None, link), Wish(b"d/x", None, blob(house, "x")))
    assert {item.path: item.fate for item in found} == {b"d": "placed", b"d/x": "unsafe"}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_directory_that_becomes_a_link_meanwhile_is_not_followed(
    house: House, tmp_path: Path
) -> None:
    """The smudge filter runs between the look and the writing, and swaps the directory."""
    out = tmp_path / "out"
    out.mkdir()
    house.write("dir/sub/y", "y\n")
    house.write(".gitattributes", "*.flt filter=swap\n")
    swap = f"mv dir moved 2>/dev/null; ln -sfn {out} dir; cat"
    house.git("config", "filter.swap.smudge", swap)
    house.git("config", "filter.swap.clean", "cat")
    found = place(
        house,
        Wish(b"dir/new.flt", None, blob(house, "x")),
        Wish(b"dir/sub/new.txt", None, blob(house, "x")),
    )
    assert {item.fate for item in found} == {"unsafe"}
    assert {item.reason for item in found} == {"a directory above it is a symbolic link"}
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("link", [True, False])
def test_a_directory_that_is_swapped_while_a_file_is_made_in_it_is_not_followed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    """Between the last look above and the name that the file gets."""
    out = tmp_path / "out"
    out.mkdir()
    look = Footing.look

    def swap(footing: Footing) -> os.stat_result | None:
        (house.top / "dir").rename(house.top / "moved")
        if link:
            (house.top / "dir").symlink_to(out)
        return look(footing)

    monkeypatch.setattr(Footing, "look", swap)
    place(house, Wish(b"dir/new.txt", None, blob(house, "x")))
    assert list(out.iterdir()) == []
    assert (house.top / "moved/new.txt").read_text() == "x", "where it was to be"


def test_what_is_saved_while_git_gives_out_the_new_file_stays(house: House) -> None:
    """The smudge filter saves the file: after the comparison, before the last look."""
    house.write(".gitattributes", "*.txt filter=late\n")
    house.git("config", "filter.late.clean", "cat")
    house.git("config", "filter.late.smudge", "echo saved >a.txt; cat")
    [found] = place(house, Wish(b"a.txt", blob(house, "a\n"), blob(house, "new\n")))
    assert (found.fate, house.on_disk()["a.txt"]) == ("changed", b"saved\n")


def test_what_is_saved_while_git_compares_it_is_not_removed(house: House) -> None:
    house.write(".gitattributes", "*.txt filter=late\n")
    house.git("config", "filter.late.clean", "cat; echo saved >a.txt")
    [found] = place(house, Wish(b"a.txt", blob(house, "a\n"), None))
    assert (found.fate, house.on_disk()["a.txt"]) == ("changed", b"saved\n")


def test_where_nothing_can_be_prepared_every_file_stays(house: House, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("no directory")
    wish = Wish(b"a.txt", blob(house, "a\n"), blob(house, "new\n"))
    [found] = place_files(house.checkout().tree, [wish], directory=tmp_path / "full" / "x")
    assert (found.fate, found.reason) == ("unsafe", "Not a directory")
    assert house.on_disk()["a.txt"] == b"a\n"
