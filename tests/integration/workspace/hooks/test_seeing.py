"""Hooks see exactly the tree that is committed, and nobody's dirt."""

from __future__ import annotations

import pytest

from gitbaton.workspace.snapshot.proposal import HookFailed
from tests.integration.workspace.hooks.shop import Shop

_CURIOUS = r"""
set -e
exec > "$REPORT"
echo "files: $(find . -path ./.git -prune -o -type f -print | sort | tr '\n' ' ')"
echo "b.py: $(cat b.py)"
echo "status: $(git status --porcelain)"
echo "unstaged: $(git diff --name-only)"
echo "cached: $(git diff --cached --name-only)"
echo "top: $(git rev-parse --show-toplevel)"
echo "branch: $(git symbolic-ref --short HEAD)"
echo "head: $(git rev-parse HEAD)"
git add a.py
echo "after add: $(git status --porcelain)"
"""


def _report(shop: Shop, *paths: str) -> dict[str, str]:
    report = shop.top.parent / "report"
    shop.snapshot(env={"REPORT": str(report)}).check(shop.propose(*paths))
    lines = report.read_text().splitlines()
    return dict(line.partition(": ")[::2] for line in lines)


def test_a_curious_hook_sees_the_committed_tree_and_nothing_else(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _CURIOUS)
    before = dirty.state()
    seen = _report(dirty, "a.py")
    assert seen["files"] == "./.gitignore ./a.py ./b.py ./lib/c.py "
    assert seen["b.py"] == "b = 1"
    assert (seen["status"], seen["unstaged"], seen["cached"]) == ("M  a.py", "", "a.py")
    assert seen["top"] == str(dirty.checkout)
    assert seen["branch"] == "main"
    assert seen["head"] == dirty.git("rev-parse", "HEAD").decode().strip()
    assert seen["after add"] == "M  a.py"
    assert dirty.state() == before


_WRECKER = r"""
set -e
git config user.name Wrecker
echo junk > junk.py && git add junk.py
git stash --quiet
git commit --quiet --allow-empty --no-verify -m mine
git branch theirs
git tag mark
git update-ref -d refs/heads/main
git checkout --quiet --orphan nowhere
rm -rf b.py lib .git/objects/info
git gc --quiet --prune=now 2>/dev/null || true
"""


def test_what_a_hook_does_to_its_repository_stays_there_i3(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", f"{_WRECKER}\necho wrecked\nexit 7")
    before = dirty.state()
    with pytest.raises(HookFailed) as failed:
        dirty.check("a.py")
    assert failed.value.status == 7 and failed.value.output.endswith(b"wrecked\n")
    assert dirty.state() == before
    dirty.git("fsck", "--strict")
    # And the next hook finds everything as it should be.
    dirty.hook("pre-commit", _CURIOUS)
    seen = _report(dirty, "a.py")
    assert seen["files"] == "./.gitignore ./a.py ./b.py ./lib/c.py "
    assert (seen["status"], seen["branch"]) == ("M  a.py", "main")


def test_the_first_commit_of_all(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> None:
    fresh = Shop(tmp_path_factory.mktemp("fresh") / "repo")
    shop.git("init", "--quiet", str(fresh.top))
    fresh.write({"one": "1\n", "two": "2\n"})
    fresh.hook("pre-commit", "git diff --cached --name-only; git rev-parse -q --verify HEAD; :")
    assert fresh.check("one").output == b"one\n"


def test_names_of_every_kind(dirty: Shop) -> None:
    odd = [b"with space", b"-dash", b"new\nline", b"caf\xe9", b":(top)x", b"*"]
    for name in odd:
        (dirty.top.joinpath(name.decode("utf-8", "surrogateescape"))).write_bytes(name)
    dirty.hook("pre-commit", "git diff --cached --name-only -z; for f in *; do :; done")
    shown = dirty.check(*odd).output
    assert set(shown.split(b"\0")) == {*odd, b""}


def test_a_detached_head_and_a_linked_worktree(shop: Shop) -> None:
    shop.git("worktree", "add", "--quiet", "--detach", "../linked")
    linked = Shop(shop.top.parent / "linked")
    shop.hook("pre-commit", "git symbolic-ref -q HEAD || cat a.py")
    linked.write({"a.py": "a = 'linked'\n"})
    assert linked.check("a.py").output == b"a = 'linked'\n"
    assert linked.place != shop.place


def test_deletions_modes_and_links_of_the_commit(dirty: Shop) -> None:
    (dirty.top / "a.py").unlink()
    (dirty.top / "run").write_text("#!/bin/sh\n")
    (dirty.top / "run").chmod(0o755)
    (dirty.top / "way").symlink_to("b.py")
    dirty.hook("pre-commit", "test ! -e a.py && test -x run && readlink way && git status -s")
    done = dirty.check("a.py", "run", "way")
    assert done.output == b"b.py\nD  a.py\nA  run\nA  way\n"


_HISTORIAN = r"""
git rev-parse --verify -q origin/main && git symbolic-ref refs/remotes/origin/HEAD
git describe --tags
git rev-parse --abbrev-ref '@{upstream}'
git merge-base HEAD origin/main
git config shop.motto && git remote get-url origin
git log --format=%s
"""


def test_history_and_settings_are_those_of_a_shallow_clone(shop: Shop) -> None:
    shop.git("tag", "v1")
    shop.write({"b.py": "b = 2\n"})
    shop.save("second")
    shop.git("tag", "v2")
    other = Shop(shop.top.parent / "other")
    shop.git("clone", "--quiet", "--depth=1", f"file://{shop.top}", str(other.top))
    other.git("config", "shop.motto", 'say "hi"; # = \\ \n\tagain')
    other.hook("pre-commit", _HISTORIAN)
    other.write({"a.py": "a = 2\n"})
    tip = other.git("rev-parse", "HEAD").decode().strip()
    lines = other.check("a.py").output.decode().splitlines()
    assert lines == [
        *(tip, "refs/remotes/origin/main", "v2", "origin/main", tip),
        *('say "hi"; # = \\ ', "\tagain", f"file://{shop.top}", "second"),
    ]


def test_a_repository_of_the_newer_object_format(shop: Shop) -> None:
    other = Shop(shop.top.parent / "other")
    shop.git("init", "--quiet", "--object-format=sha256", str(other.top))
    other.write({"a.py": "a = 1\n", "b.py": "b = 1\n", "c.py": "c = 1\n"})
    other.save()
    other.write({"a.py": "a = 2\n", "b.py": "half written\n", "c.py": "c = 2\n"})
    other.hook("pre-commit", "git status -s; echo a = 3 > a.py; git rm -q --cached c.py")
    done = other.check("a.py", "c.py")
    assert done.output == b"M  a.py\nM  c.py\n"
    assert other.file(done.tree, "a.py") == "a = 3\n"
    assert other.git("ls-tree", "--name-only", done.tree) == b"a.py\nb.py\n"


def test_windows_line_ends_in_the_working_tree(shop: Shop) -> None:
    shop.git("config", "core.autocrlf", "true")
    (shop.top / "a.py").write_bytes(b"a = 1\r\na = 2\r\n")
    shop.hook("pre-commit", "git status -s; od -An -c a.py; printf 'a = 3\\r\\n' >> a.py")
    done = shop.check("a.py")
    assert done.output.startswith(b"M  a.py\n") and done.output.count(rb"\r") == 2
    assert shop.file(done.tree, "a.py") == "a = 1\na = 2\na = 3\n"


def test_objects_that_are_borrowed_through_relative_paths(shop: Shop) -> None:
    """As the worktrees of agents do, whose repository borrows from the clone's."""
    other = Shop(shop.top.parent / "other")
    shop.git("clone", "--quiet", "--shared", str(shop.top), str(other.top))
    alternates = other.top / ".git" / "objects" / "info" / "alternates"
    alternates.write_text("../../../shop/.git/objects\n")
    other.hook("pre-commit", "git cat-file -p HEAD:b.py; git status -s")
    other.write({"a.py": "a = 2\n"})
    assert other.check("a.py").output == b"b = 1\nM  a.py\n"
