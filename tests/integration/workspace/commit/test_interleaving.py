"""What others do in the same working tree while a commit is being made (I3, I4)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import Refused
from gitbaton.git import committing
from gitbaton.git.head import read_branch
from gitbaton.git.reftransaction import RefTransaction
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit import commit as safecommit
from gitbaton.workspace.safecommit.lock import Holder, TreeBusy, TreeLock
from tests.integration.workspace.commit.house import House


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen once, after the tree was made and before the branch moves."""

    def arrange(happens: Callable[[], object]) -> None:
        left = [happens]

        def make(*args: object, **options: object) -> object:
            if left:
                left.pop()()
            return committing.make_commit(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(safecommit, "make_commit", make)

    return arrange


def test_a_plain_commit_of_another_file_is_built_upon(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    house.write("a.txt", "mine\n")

    def sibling() -> None:
        house.write("b.txt", "theirs\n")
        house.plain("b.txt", message="theirs")

    meanwhile(sibling)
    done = house.commit("a.txt")
    assert done.again == 1
    assert house.git("log", "--format=%s", "-3").split() == ["work", "theirs", "second"]
    assert house.files() == {("M", b"a.txt")}
    assert house.status() == []


def test_a_plain_commit_of_the_same_file_leaves_nothing_to_do(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    house.write("a.txt", "mine\n")
    meanwhile(lambda: house.plain("a.txt"))
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "nothing"


def test_a_switch_of_branches_is_refused(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    house.git("branch", "other")
    house.write("a.txt", "mine\n")
    meanwhile(lambda: house.git("switch", "-q", "other"))
    before = house.head
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "head_moved"
    assert "from main to other" in refused.value.message
    assert house.git("rev-parse", "main", "other").split() == [before, before]
    assert house.status() == [" M a.txt"]


def test_a_rewritten_branch_is_refused(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    house.write("a.txt", "mine\n")
    meanwhile(lambda: house.git("reset", "-q", "--soft", "HEAD~1"))
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "branch_moved"
    assert house.git("log", "--format=%s") == "first"


def test_what_is_edited_meanwhile_stays_edited(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    house.write("a.txt", "mine\n")
    meanwhile(lambda: house.write("a.txt", "saved again\n"))
    house.commit("a.txt")
    assert house.content("a.txt") == b"mine\n"
    assert house.status() == [" M a.txt"]
    assert house.on_disk()["a.txt"] == b"saved again\n"


def test_what_is_staged_meanwhile_stays_staged(
    house: House, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    """I3: without hooks too, what somebody stages at a named path meanwhile is newer."""
    house.write("a.txt", "mine\n")

    def sibling() -> None:
        house.write("a.txt", "newer\n")
        house.git("add", "a.txt")

    meanwhile(sibling)
    done = house.commit("a.txt")
    assert house.content("a.txt") == b"mine\n"
    assert house.raw("cat-file", "blob", ":a.txt") == b"newer\n"
    assert house.status() == ["M  a.txt"]
    assert [(item.path, item.kept) for item in done.superseded] == [(b"a.txt", True)]


def test_a_held_index_is_waited_for_and_then_named(house: House) -> None:
    house.write("a.txt", "mine\n")
    lock = house.top / ".git/index.lock"
    lock.touch()
    clock = ManualClock()
    head, index = house.head, house.staged()
    with pytest.raises(Refused) as refused:
        house.commit("a.txt", clock=clock, patience=3.0)
    assert refused.value.code == "index_locked"
    assert refused.value.next == f"if no git is running here: rm {lock}"
    assert "; waited 3 s. No git can be seen at work here" in refused.value.message
    assert (house.head, house.staged()) == (head, index)
    lock.unlink()
    house.commit("a.txt")
    assert house.status() == []
    house.check()


def test_who_seems_to_hold_the_index_is_named(house: House) -> None:
    """`git commit` keeps the lock of the index for as long as its editor is open."""
    house.write("a.txt", "mine\n")
    house.write("b.txt", "sibling\n")
    editor = house.top.parent / "editor"
    editor.write_text('#!/bin/sh\ntouch "$0.open"\nread line <"$0.pipe"\nexit 1\n')
    editor.chmod(0o755)
    os.mkfifo(f"{editor}.pipe")
    sibling = subprocess.Popen(
        ["git", "-c", f"core.editor={editor}", "commit", "-q", "-a"],
        cwd=house.top,
        env=house.environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        with open(f"{editor}.pipe", "w") as pipe:  # opens when the editor does
            with pytest.raises(Refused) as refused:
                house.commit("a.txt", patience=0.0)
            pipe.write("\n")
    finally:
        sibling.wait(30)
    assert f"Process {sibling.pid} (git commit) seems to hold it" in refused.value.message
    assert refused.value.next is not None and "wait for it" in refused.value.next
    house.commit("a.txt")


def test_a_ref_that_stays_locked_is_named(house: House) -> None:
    house.write("a.txt", "mine\n")
    house.git("config", "core.filesRefLockTimeout", "0")  # git's own patience
    lock = house.top / ".git/refs/heads/main.lock"
    lock.touch()
    before = house.head, house.staged()
    with pytest.raises(Refused) as refused:
        house.commit("a.txt", clock=ManualClock())
    assert refused.value.code == "ref_locked"
    assert str(lock) in refused.value.message
    assert (house.head, house.staged()) == before
    lock.unlink()
    house.commit("a.txt")
    assert house.status() == []


def test_a_hook_may_refuse_that_the_ref_moves(house: House) -> None:
    house.write("a.txt", "mine\n")
    hook = house.top / ".git/hooks/reference-transaction"
    hook.write_text('#!/bin/sh\necho "not today" >&2\ntest "$1" != prepared\n')
    hook.chmod(0o755)
    before = house.head, house.staged()
    with pytest.raises(Refused, match="not today") as refused:
        house.commit("a.txt")
    assert refused.value.code == "ref_refused"
    assert (house.head, house.staged()) == before
    hook.unlink()
    house.commit("a.txt")
    assert house.status() == []


def test_an_index_that_is_let_go_in_time_holds_nothing_up(house: House) -> None:
    house.write("a.txt", "mine\n")
    lock = house.top / ".git/index.lock"
    lock.touch()

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            lock.unlink(missing_ok=True)

    house.commit("a.txt", clock=Clock())
    assert house.status() == []


def test_while_the_ref_is_prepared_nobody_moves_it_or_head(house: House) -> None:
    """What the order of the move stands on (docs/design/safe-commit.md, section 2)."""
    tree = WorkingTree.find(house.top, house.environment())
    old, new = house.git("rev-parse", "HEAD", "HEAD~1").split()
    house.write("a.txt", "plain\n")
    with RefTransaction(tree.git, "refs/heads/main", old=old, new=new, log="t") as ref:  # type: ignore[arg-type]
        ref.prepare()
        for words in (
            ["commit", "-qam", "x"],
            ["switch", "-qc", "new"],
            ["reset", "--soft", "HEAD~1"],
        ):
            done = subprocess.run(["git", *words], cwd=house.top, capture_output=True, check=False)
            assert done.returncode != 0, words
        assert read_branch(tree) == "refs/heads/main"
    assert house.head == old
    house.check()


def test_the_lock_names_its_holder_and_is_freed_when_that_is_killed(house: House) -> None:
    """I4: a killed holder frees it, and its children do not keep it; its note blocks nobody."""
    tree = WorkingTree.find(house.top, house.environment())
    code = (
        "import sys, subprocess\n"
        "from tests.integration.workspace.commit.house import House\n"
        "from pathlib import Path\n"
        f"lock = House(Path({str(house.top)!r})).checkout().lock\n"
        "with lock.hold(timeout=9):\n"
        "    child = subprocess.Popen(['sleep', '600'], close_fds=False)\n"
        "    print(child.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    env = {
        **os.environ,
        "BATON_SESSION": "s-1",
        "BATON_TASK": "t-9",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    holder = subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdin is not None
    child = int(holder.stdout.readline())
    clock = ManualClock()
    me = Holder(pid=os.getpid(), command="test")
    told: list[str] = []
    with (
        pytest.raises(TreeBusy) as busy,
        TreeLock(tree.state, clock, me).hold(timeout=5, waiting=told.append),
    ):
        pass
    for words in (f"process {holder.pid}", "session s-1", "task t-9", "since 20"):
        assert words in busy.value.message
        assert words in told[0]
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    try:
        with TreeLock(tree.state, clock, me).hold(timeout=0):
            os.kill(child, 0)  # the child outlives it
    finally:
        os.kill(child, 9)
