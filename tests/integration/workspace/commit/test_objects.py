"""What is in the commit object beside the tree: who, in which encoding, and signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.errors import Refused
from tests.integration.workspace.commit.house import House

SIGNER = """#!/bin/sh
echo "[GNUPG:] SIG_CREATED $*" >&2
cat > /dev/null
echo "-----BEGIN PGP SIGNATURE-----"
echo "signed by a test"
echo "-----END PGP SIGNATURE-----"
"""


def use_signer(house: House, text: str) -> None:
    """Let ``text`` be the program that signs."""
    program = house.top.parent / "signer"
    program.write_text(text)
    program.chmod(0o755)
    house.git("config", "gpg.program", str(program))
    house.git("config", "commit.gpgSign", "true")


def test_commits_are_signed_where_git_is_told_so(house: House) -> None:
    use_signer(house, SIGNER)
    house.write("a.txt", "1")
    house.commit("a.txt")
    assert "signed by a test" in house.git("cat-file", "commit", "HEAD")


def test_a_key_that_cannot_sign_makes_no_commit(house: House) -> None:
    use_signer(house, "#!/bin/sh\nexit 2\n")
    house.write("a.txt", "1")
    before = house.head, house.staged()
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "not_signed"
    assert (house.head, house.staged()) == before


def test_author_and_committer_are_as_git_is_told(house: House) -> None:
    who = {
        "GIT_AUTHOR_NAME": "Änne",
        "GIT_AUTHOR_EMAIL": "a@x.invalid",
        "GIT_AUTHOR_DATE": "2020-02-03T04:05:06+02:00",
        "GIT_COMMITTER_NAME": "Carl",
    }
    house.write("a.txt", "1")
    House(house.top, who).commit("a.txt")
    shown = house.git("log", "-1", "--format=%an <%ae> %aI / %cn")
    assert shown == "Änne <a@x.invalid> 2020-02-03T04:05:06+02:00 / Carl"
    house.write("b.txt", "1")
    with pytest.raises(Refused, match=r"without a session, by a@x\.invalid"):
        house.commit("b.txt", message=None, amend=True)
    me = House(house.top, {"GIT_AUTHOR_EMAIL": "a@x.invalid"})
    me.commit("b.txt", message=None, amend=True)
    assert house.git("log", "-1", "--format=%an <%ae> %aI / %cn") == (
        "Änne <a@x.invalid> 2020-02-03T04:05:06+02:00 / Tester"
    )


def test_another_encoding_is_noted_and_kept(house: House) -> None:
    house.git("config", "i18n.commitEncoding", "ISO-8859-1")
    house.write("a.txt", "1")
    house.commit("a.txt", message="caf\udce9")
    house.git("config", "--unset", "i18n.commitEncoding")
    assert house.git("log", "-1", "--format=%s") == "café"
    house.write("b.txt", "1")
    house.commit("b.txt", message=None, amend=True)
    assert house.git("log", "-1", "--format=%s") == "café"


def test_comments_and_cleanup_are_as_configured(house: House) -> None:
    house.git("config", "commit.cleanup", "strip")
    house.git("config", "core.commentChar", ";")
    house.write("a.txt", "1")
    house.commit("a.txt", message="subject\n\n\n; dropped\n# kept  ")
    assert house.git("log", "-1", "--format=%B") == "subject\n\n# kept"


def test_the_index_may_be_of_any_kind(house: House, tmp_path: Path) -> None:
    """The shared index is git's: split, of version 4, or watched, it follows all the same."""
    house.git("config", "core.untrackedCache", "true")
    house.git("update-index", "--index-version", "4", "--split-index", "--untracked-cache")
    house.write("b.txt", "staged")
    house.git("add", "b.txt")
    house.write("a.txt", "mine")
    house.commit("a.txt")
    assert house.files() == {("M", b"a.txt")}
    assert house.status() == ["M  b.txt"]
