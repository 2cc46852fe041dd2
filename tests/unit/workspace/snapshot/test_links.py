"""Links to what git ignores: only to places below the top, never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.workspace.snapshot.links import check_links, exclude_links, make_links


@pytest.mark.parametrize(
    "link", ["", ".", "/etc", "../x", "a/../../x", ".git", "a/.GIT/hooks", "a\nb", "a\0b"]
)
def test_a_link_that_leads_elsewhere_is_refused_i8(link: str) -> None:
    with pytest.raises(InvalidInput, match=r"commit\.links: "):
        check_links([link])


def test_patterns_are_anchored_and_literal() -> None:
    links = check_links(["node_modules", "a b/*[x]!", "web/.venv/"])
    assert exclude_links(links) == [
        "/node_modules",
        r"/a\ b/\*\[x\]\!",
        "/web/.venv",
    ]


def test_a_link_is_made_only_where_there_is_room(tmp_path: Path) -> None:
    top, checkout = tmp_path / "top", tmp_path / "checkout"
    for directory in ("dep", "real/dep", "away/dep"):
        (top / directory).mkdir(parents=True)
    (checkout / "real").mkdir(parents=True)
    (checkout / "away").symlink_to(tmp_path)
    links = check_links(["dep", "real/dep", "away/dep", "none"])
    notes = make_links(links, top=top, checkout=checkout)
    assert (checkout / "dep").readlink() == top / "dep"
    assert (checkout / "real" / "dep").readlink() == top / "real" / "dep"
    assert not (tmp_path / "dep").exists()
    assert notes == [
        "away/dep is not linked for the hooks: away is no directory of the commit",
        "none is not linked for the hooks: there is none in the working tree",
    ]
    assert make_links(links[:1], top=top, checkout=checkout) == [
        "dep is not linked for the hooks: it is in the commit"
    ]
