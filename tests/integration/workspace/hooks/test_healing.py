"""The checkout is brought up to date by what differs, and heals whatever was done to it (I4)."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitbaton.core.errors import GitFailed
from gitbaton.workspace.snapshot.place import sweep_places
from gitbaton.workspace.snapshot.proposal import HookSettings
from tests.integration.workspace.hooks.shop import Shop

_LIST = "find . -path ./.git -prune -o ! -type d -print | sort | tr '\\n' ' '; git status -s"
_RIGHT = b"./.gitignore ./a.py ./b.py ./lib/c.py M  a.py\n"


def _files(top: Path) -> dict[Path, tuple[int, int, int]]:
    """Return what identifies the content of each file: number, change time, size."""
    found = {}
    for directory, _, names in os.walk(top):
        if ".git" not in Path(directory).relative_to(top).parts:
            for path in (Path(directory, name) for name in names):
                seen = path.lstat()
                found[path] = (seen.st_ino, seen.st_ctime_ns, seen.st_size)
    return found


def test_in_ten_thousand_files_a_second_commit_writes_two(shop: Shop) -> None:
    # Straight into history: that the user's own files are there is of no account.
    files = (f"M 644 inline d{n // 100}/f{n % 100}\ndata 6\n{n:05}\n\n" for n in range(10_000))
    stream = "commit refs/heads/main\ncommitter T <t@t> 0 +0000\ndata 1\n.\nfrom HEAD^0\n"
    shop.git("fast-import", "--quiet", stdin=(stream + "".join(files)).encode())
    shop.hook("pre-commit", "test -e d99/f99")
    shop.write({"d5/f5": "changed\n"})
    shop.check("d5/f5")
    before = _files(shop.checkout)
    assert len(before) == 10_004
    shop.write({"d7/f7": "changed\n"})
    shop.check("d7/f7")
    after = _files(shop.checkout)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {shop.checkout / "d5/f5", shop.checkout / "d7/f7"}


def _unlink_index(shop: Shop) -> None:
    shop.place.index.unlink()


def _spoil_index(shop: Shop) -> None:
    shop.place.index.write_bytes(b"DIRC\0\0\0\2 broken")


def _lose_files(shop: Shop) -> None:
    shutil.rmtree(shop.checkout)


def _lose_git(shop: Shop) -> None:
    shutil.rmtree(shop.place.git_dir)


def _lead_away(shop: Shop) -> None:
    """Put a link to the user's own tree where the checkout was."""
    shutil.rmtree(shop.checkout)
    shop.checkout.symlink_to(shop.top)


def _lead_directory_away(shop: Shop) -> None:
    shutil.rmtree(shop.checkout / "lib")
    (shop.checkout / "lib").symlink_to(shop.top / "out")


def _litter(shop: Shop) -> None:
    (shop.checkout / "out").mkdir()
    (shop.checkout / "out" / "x").write_text("ignored\n")
    (shop.checkout / "nested").mkdir()
    shop.git("init", "--quiet", str(shop.checkout / "nested"))
    (shop.checkout / "b.py").unlink()
    (shop.checkout / "b.py").mkdir()
    (shop.checkout / "b.py" / "deep").write_text("in the way\n")
    (shop.checkout / "lib" / "c.py").write_text("c = 9\n")  # as long as before


def _lock_up(shop: Shop) -> None:
    (shop.place.git_dir / "index.lock").touch()
    closed = shop.checkout / "closed" / "inner"
    closed.mkdir(parents=True)
    (closed / "file").touch()
    closed.chmod(0)


def _point_elsewhere(shop: Shop) -> None:
    """Let the repository of the hooks claim the user's files for its own."""
    with (shop.place.git_dir / "config").open("a") as config:
        config.write(f"[core]\n\tworktree = {shop.top}\n")


@pytest.mark.parametrize(
    "damage",
    [
        _unlink_index,
        _spoil_index,
        _lose_files,
        _lose_git,
        _lead_away,
        _lead_directory_away,
        _litter,
        _lock_up,
        _point_elsewhere,
    ],
)
def test_whatever_was_done_to_it_the_next_commit_is_right(
    dirty: Shop, damage: Callable[[Shop], None]
) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _LIST)
    assert dirty.check("a.py").output == _RIGHT
    before = dirty.state()
    damage(dirty)
    assert dirty.check("a.py").output == _RIGHT
    assert dirty.state() == before


def test_a_sparse_checkout_stays_sparse(shop: Shop) -> None:
    shop.write({"far/d.py": "d = 1\n"})
    shop.save()
    shop.git("sparse-checkout", "set", "lib")
    shop.write({"a.py": "a = 2\n"})
    shop.hook("pre-commit", _LIST)
    assert not (shop.top / "far").exists()
    done = shop.check("a.py")
    assert (done.output, done.dropped) == (_RIGHT, ())


def test_submodules_are_empty_and_are_emptied(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shop.git("clone", "--quiet", str(shop.top), str(other))
    shop.git("submodule", "--quiet", "add", str(other), "sub")
    shop.save()
    shop.write({"a.py": "a = 2\n"})
    shop.hook("pre-commit", "ls -A sub; git submodule --quiet update --init; ls sub; git status -s")
    first = shop.check("a.py").output
    assert first == b"a.py\nb.py\nlib\nM  a.py\n"
    assert shop.check("a.py").output == first


def test_links_lead_to_what_git_ignores(dirty: Shop) -> None:
    dirty.write(
        {"a.py": "a = 2\n", "web/node_modules/tool": "echo tool\n", ".gitignore": "*_modules/\n"}
    )
    dirty.write({"web/page": "page\n"})
    dirty.hook("pre-commit", "sh web/node_modules/tool; git status -s; git add -A; git status -s")
    settings = HookSettings(links=("web/node_modules", "absent", "b.py", "lib/none"))
    before = dirty.state()
    done = dirty.check("a.py", "web/page", settings=settings)
    notes, rest = done.output.split(b"tool\n")
    assert rest == b"M  a.py\nA  web/page\n" * 2
    assert b"absent is not linked for the hooks: there is none in the working tree" in notes
    assert b"b.py is not linked for the hooks: it is in the commit" in notes
    assert dirty.git("ls-tree", "-r", "--name-only", done.tree).count(b"node_modules") == 0
    # The next one takes the link away, not what it leads to.
    dirty.check("a.py", "web/page")
    assert not (dirty.checkout / "web" / "node_modules").exists()
    assert dirty.state() == before


def test_a_checkout_whose_working_tree_is_gone_is_swept(shop: Shop) -> None:
    shop.git("worktree", "add", "--quiet", "--detach", "../linked")
    linked = Shop(shop.top.parent / "linked")
    shop.hook("pre-commit", ":")
    for one in (shop, linked):
        one.write({"a.py": "a = 2\n"})
        one.snapshot().check(one.propose("a.py"))
    gone = linked.place.root
    shop.git("worktree", "remove", "--force", "../linked")
    assert gone.exists()
    assert sweep_places(linked.directory) == [gone]
    assert sweep_places(shop.directory) == []
    assert not gone.exists() and shop.place.root.exists()


def test_a_filter_that_fails_is_told_and_leaves_no_half(dirty: Shop) -> None:
    dirty.git("config", "filter.big.clean", "cat")
    dirty.git("config", "filter.big.smudge", "cat")
    dirty.git("config", "filter.big.required", "true")
    dirty.write({".gitattributes": "*.big filter=big\n", "x.big": "big\n"})
    proposal = dirty.propose("x.big", ".gitattributes")
    dirty.hook("pre-commit", "cat x.big; git status -s")
    dirty.git("config", "filter.big.smudge", "false")
    with pytest.raises(GitFailed, match=r"x\.big: smudge filter big failed"):
        dirty.snapshot().check(proposal)
    dirty.git("config", "filter.big.smudge", "cat")
    assert dirty.snapshot().check(proposal).output == b"big\nA  .gitattributes\nA  x.big\n"


def test_random_wreckage(dirty: Shop) -> None:
    """Any files of the checkout and of what belongs to it, deleted or overwritten at random."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _LIST)
    assert dirty.check("a.py").output == _RIGHT
    before = dirty.state()
    for _ in range(6):
        for path in sorted(dirty.place.root.rglob("*")):
            if chance.random() < 0.3 and not path.is_symlink() and path.is_file():
                if chance.random() < 0.5:
                    path.unlink()
                else:
                    path.chmod(0o600)
                    path.write_bytes(chance.randbytes(chance.randrange(64)))
        assert dirty.check("a.py").output == _RIGHT, f"seed {seed}"
    assert dirty.state() == before, f"seed {seed}"
