"""What hooks change: of named files it is committed, of others it is not."""

from __future__ import annotations

import os

import pytest

from gitbaton.git.entries import EXECUTABLE, FILE
from gitbaton.workspace.snapshot.proposal import HookFailed, HookSettings
from tests.integration.workspace.hooks.shop import Shop

_UPPER = "tr a-z A-Z < a.py > tmp && cat tmp > a.py && rm tmp"


@pytest.mark.parametrize("how", [_UPPER, f"{_UPPER}; git add a.py", f"{_UPPER}; git add -A"])
def test_a_rewritten_file_is_committed_as_it_was_rewritten(dirty: Shop, how: str) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", how)
    before = dirty.state()
    done = dirty.check("a.py")
    assert dirty.file(done.tree, "a.py") == "A = 2\n"
    (fix,) = done.fixes
    assert fix.path == b"a.py"
    assert fix.before is not None and fix.after is not None
    assert dirty.git("cat-file", "blob", fix.before.oid) == b"a = 2\n"
    assert dirty.git("cat-file", "blob", fix.after.oid) == b"A = 2\n"
    assert dirty.state() == before
    dirty.git("fsck", "--strict")


def test_what_is_only_staged_by_the_hook_counts_too(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook(
        "pre-commit",
        "oid=$(echo staged | git hash-object -w --stdin)\n"
        "git update-index --cacheinfo 100755,$oid,a.py",
    )
    done = dirty.check("a.py")
    assert dirty.file(done.tree, "a.py") == "staged\n"
    (fix,) = done.fixes
    assert fix.before is not None and fix.after is not None
    assert (fix.before.mode, fix.after.mode) == (FILE, EXECUTABLE)
    dirty.git("fsck", "--strict")  # the blob is in the clone now


def test_changes_of_other_files_are_told_and_not_committed(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", "echo x >> b.py; echo y > made.py; git add made.py; rm lib/c.py")
    proposal = dirty.propose("a.py")
    done = dirty.snapshot().check(proposal)
    assert (done.tree, done.fixes) == (proposal.tree, ())
    assert done.dropped == (b"b.py", b"lib/c.py", b"made.py")


def test_a_file_that_was_only_touched_is_no_change(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", "touch a.py b.py; cp b.py b2; mv b2 b.py")
    done = dirty.check("a.py")
    assert (done.fixes, done.dropped) == ((), ())


def test_a_hook_may_take_a_file_out_of_the_commit(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n", "secret": "s3cret\n"})
    dirty.hook("pre-commit", "git rm --quiet --cached secret")
    done = dirty.check("a.py", "secret")
    names = dirty.git("ls-tree", "--name-only", done.tree).decode().split()
    assert "secret" not in names and "a.py" in names
    assert [(fix.path, fix.after) for fix in done.fixes] == [(b"secret", None)]


def test_a_mode_and_a_link_are_fixes(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n", "n.py": "n = 1\n"})
    dirty.hook("pre-commit", "chmod +x a.py; rm n.py; ln -s a.py n.py")
    done = dirty.check("a.py", "n.py")
    modes = {fix.path: fix.after.mode for fix in done.fixes if fix.after}
    assert modes == {b"a.py": 0o100755, b"n.py": 0o120000}


_PICKY = """
if grep -q '[a-z]' a.py; then tr a-z A-Z < a.py > tmp; mv tmp a.py; echo fixed; exit 1; fi
grep -q BAD a.py && { echo 'bad'; exit 1; }
exit 0
"""


def test_a_hook_that_refuses_because_it_fixed_is_run_again_on_its_fixes(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _PICKY)
    done = dirty.check("a.py")
    assert dirty.file(done.tree, "a.py") == "A = 2\n"
    assert done.output == b"fixed\n[baton: pre-commit fixed files; it is run again on the fixes]\n"
    assert bytes(dirty.told) == done.output


def test_its_second_answer_counts_i9(dirty: Shop) -> None:
    dirty.write({"a.py": "bad\n"})
    dirty.hook("pre-commit", _PICKY)
    before = dirty.state()
    with pytest.raises(HookFailed) as failed:
        dirty.check("a.py")
    assert failed.value.output.endswith(b"bad\n")
    assert (failed.value.hook, failed.value.status) == ("pre-commit", 1)
    assert dirty.state() == before


def test_the_second_run_can_be_switched_off(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", _PICKY)
    with pytest.raises(HookFailed) as failed:
        dirty.check("a.py", settings=HookSettings(accept_fixes=False))
    assert failed.value.output == b"fixed\n"


def test_a_hook_that_corrects_only_other_files_refuses_for_good(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", "echo x >> b.py; echo once >> $COUNT; exit 1")
    count = dirty.top.parent / "count"
    with pytest.raises(HookFailed):
        dirty.snapshot(env={"COUNT": str(count)}).check(dirty.propose("a.py"))
    assert count.read_text() == "once\n"


def test_later_hooks_see_the_fixed_tree(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", f"{_UPPER}; echo x >> b.py; touch junk")
    dirty.hook("commit-msg", "cat a.py b.py; git status --porcelain")
    assert dirty.check("a.py").output == b"A = 2\nb = 1\nM  a.py\n"


def test_line_ends_and_filters_are_gits_business(dirty: Shop) -> None:
    dirty.git("config", "filter.rot.clean", "tr a-z b-za")
    dirty.git("config", "filter.rot.smudge", "tr b-za a-z")
    dirty.write({".gitattributes": "*.rot filter=rot\n*.txt text eol=crlf\n"})
    dirty.write({"x.rot": "hello\n", "x.txt": "one\r\n"})
    dirty.hook(
        "pre-commit", "cat x.rot; od -c x.txt | head -1; echo more >> x.rot; echo two >> x.txt"
    )
    done = dirty.check(".gitattributes", "x.rot", "x.txt")
    assert b"hello\n" in done.output and rb"\r  \n" in done.output
    assert dirty.file(done.tree, "x.rot") == "ifmmp\nnpsf\n"
    assert dirty.file(done.tree, "x.txt") == "one\ntwo\n"


def test_an_index_that_a_hook_broke_is_its_failure(dirty: Shop) -> None:
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", "echo broken > .git/index")
    with pytest.raises(HookFailed, match="pre-commit hook left the checkout unreadable"):
        dirty.check("a.py")
    dirty.hook("pre-commit", "git status --porcelain")
    assert dirty.check("a.py").output == b"M  a.py\n"


def test_bytes_of_every_kind_come_back(dirty: Shop) -> None:
    name = os.fsdecode(b"caf\xe9\n")
    (dirty.top / name).write_bytes(b"\0\xff")
    dirty.hook("pre-commit", 'for f in caf*; do printf x >> "$f"; done')
    (fix,) = dirty.check(name).fixes
    assert fix.path == b"caf\xe9\n" and fix.after is not None
    assert dirty.git("cat-file", "blob", fix.after.oid) == b"\0\xffx"


def test_the_order_of_a_diff_is_no_matter_of_the_hook(dirty: Shop) -> None:
    """`git diff` of a clone whose diff.orderFile is gone fails for everybody; not a commit."""
    dirty.write({"a.py": "a = 2\n"})
    dirty.git("config", "diff.orderFile", "/nowhere/order")
    dirty.hook("pre-commit", _UPPER)
    assert dirty.file(dirty.check("a.py").tree, "a.py") == "A = 2\n"
