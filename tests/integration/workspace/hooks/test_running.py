"""How hooks are found, called and ended, as git does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gitbaton.core.errors import BatonError
from gitbaton.workspace.snapshot.proposal import HookFailed, HookSettings, Proposal
from tests.integration.workspace.hooks.shop import Shop


def _to_commit(shop: Shop) -> Proposal:
    shop.write({"a.py": "a = 2\n"})
    return shop.propose("a.py", message="draft")


def test_without_hooks_nothing_is_checked_out(dirty: Shop) -> None:
    proposal = _to_commit(dirty)
    done = dirty.snapshot().check(proposal)
    assert (done.tree, done.message, done.ran) == (proposal.tree, proposal.message, ())
    assert dirty.snapshot().after(proposal, proposal.tree) == b""
    assert not dirty.directory.exists()


def test_a_hook_that_is_not_executable_is_passed_over_with_a_hint(dirty: Shop) -> None:
    dirty.hook("pre-commit", "exit 1").chmod(0o644)
    assert dirty.snapshot().check(_to_commit(dirty)).ran == ()
    assert b"hint: The '.git/hooks/pre-commit' hook was ignored" in dirty.told
    dirty.told.clear()
    dirty.git("config", "advice.ignoredHook", "false")
    dirty.snapshot().check(_to_commit(dirty))
    assert not dirty.told


def test_the_message_goes_through_two_hooks(dirty: Shop) -> None:
    dirty.hook("prepare-commit-msg", 'echo "$#: $2"; echo "[$(git branch --show-current)]" >> "$1"')
    dirty.hook("commit-msg", 'echo "$#: $1"; sed -i s/draft/final/ "$1"')
    done = dirty.snapshot().check(_to_commit(dirty))
    assert done.message == b"final\n[main]\n"
    assert done.output == b"2: message\n1: .git/COMMIT_EDITMSG\n"
    assert done.ran == ("prepare-commit-msg", "commit-msg")


def test_commit_msg_may_refuse_and_may_not_lose_the_message(dirty: Shop) -> None:
    dirty.hook("commit-msg", 'echo "no ticket"; exit 4')
    with pytest.raises(HookFailed, match="commit-msg hook refused the commit") as failed:
        dirty.snapshot().check(_to_commit(dirty))
    assert (failed.value.status, failed.value.output) == (4, b"no ticket\n")
    dirty.hook("commit-msg", 'rm "$1"')
    with pytest.raises(HookFailed, match="left no message"):
        dirty.snapshot().check(_to_commit(dirty))


def test_post_commit_sees_the_commit_and_cannot_undo_it(dirty: Shop) -> None:
    proposal = _to_commit(dirty)
    commit = dirty.git("commit-tree", proposal.tree, "-p", "HEAD", "-m", "made").decode().strip()
    dirty.hook("post-commit", "git log -1 --format=%s; git status --porcelain; cat a.py; exit 5")
    told = dirty.snapshot().after(proposal, type(proposal.tree)(commit))
    assert told.startswith(b"made\na = 2\n")
    assert b"post-commit hook failed (exit status 5); the commit is made" in told


_ASKS = r"""
echo "in: $(cat)"
echo "dir: ${GIT_DIR-unset} ${GIT_WORK_TREE-unset} ${GIT_OBJECT_DIRECTORY-unset}"
echo "index: $GIT_INDEX_FILE prefix: $GIT_PREFIX editor: $GIT_EDITOR author: $GIT_AUTHOR_NAME"
echo "mine: $MINE locale: $LC_ALL"
command -v git-submodule > /dev/null && echo "programs: found"
cd lib && git diff --cached --name-only
"""


def test_the_environment_is_that_of_git_commit(dirty: Shop) -> None:
    dirty.hook("pre-commit", _ASKS)
    env = {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "MINE": "mine", "LC_ALL": "C.UTF-8"}
    done = dirty.snapshot(env=env).check(_to_commit(dirty))
    assert done.output.decode().splitlines() == [
        "in: ",
        "dir: unset unset unset",
        "index: .git/index prefix:  editor: : author: Tester",
        "mine: mine locale: C.UTF-8",
        "programs: found",
        "a.py",
    ]


def test_a_script_without_a_first_line_is_one_for_the_shell(dirty: Shop) -> None:
    hook = dirty.hook("pre-commit", "")
    hook.write_text("echo plain\n")
    assert dirty.snapshot().check(_to_commit(dirty)).output == b"plain\n"


def test_a_program_that_cannot_be_run_refuses_i9(dirty: Shop) -> None:
    dirty.hook("pre-commit", "").write_text("#!/nowhere/interpreter\n")
    with pytest.raises(HookFailed, match="could not be started") as failed:
        dirty.snapshot().check(_to_commit(dirty))
    assert failed.value.status is None


def test_a_hook_that_takes_too_long_is_ended_with_what_it_started(dirty: Shop) -> None:
    dirty.hook("pre-commit", "echo begun; sleep 300 & echo $! > $PIDS; wait")
    pids = dirty.top.parent / "pids"
    snapshot = dirty.snapshot(HookSettings(timeout=0.5), env={"PIDS": str(pids)})
    with pytest.raises(HookFailed, match=r"took longer than 0\.5 s and was ended") as failed:
        snapshot.check(_to_commit(dirty))
    assert failed.value.output == b"begun\n"
    assert _is_gone(int(pids.read_text()))


def test_a_background_process_is_not_waited_for_and_holds_nothing(dirty: Shop) -> None:
    dirty.hook("pre-commit", "sleep 300 & echo $! > $PIDS; echo done")
    pids = dirty.top.parent / "pids"
    snapshot = dirty.snapshot(env={"PIDS": str(pids)})
    first = snapshot.check(_to_commit(dirty))
    background = psutil.Process(int(pids.read_text()))
    try:
        inode = dirty.place.root.stat().st_ino
        dirty.hook("pre-commit", "echo again")
        assert (first.output, dirty.check("a.py").output) == (b"done\n", b"again\n")
        assert dirty.place.root.stat().st_ino == inode  # the same checkout, at once
        assert background.status() != psutil.STATUS_ZOMBIE
    finally:
        background.kill()


def test_a_signal_is_told_as_the_shell_does(dirty: Shop) -> None:
    dirty.hook("pre-commit", "kill -SEGV $$")
    with pytest.raises(HookFailed) as failed:
        dirty.snapshot().check(_to_commit(dirty))
    assert failed.value.status == 128 + signal.SIGSEGV


def test_much_output_is_passed_on_whole_and_kept_in_part(dirty: Shop) -> None:
    dirty.hook("pre-commit", "seq 1 20000")
    done = dirty.snapshot(HookSettings(cap=8192)).check(_to_commit(dirty))
    assert dirty.told.endswith(b"\n19999\n20000\n") and dirty.told.startswith(b"1\n2\n")
    assert len(dirty.told) == sum(len(f"{n}\n") for n in range(1, 20001))
    assert len(done.output) < 8300 and b"bytes dropped here]" in done.output
    assert done.output.startswith(b"1\n2\n") and done.output.endswith(b"20000\n")


def test_tracked_hooks_run_as_they_are_committed(dirty: Shop) -> None:
    dirty.hook("pre-commit", "echo committed; . ./hooks/shared", directory="hooks")
    dirty.write({"hooks/shared": "echo shared\n"})
    dirty.git("add", "hooks")
    dirty.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "hooks", "--", "hooks")
    dirty.git("config", "core.hooksPath", "hooks")
    dirty.hook("pre-commit", "echo 'half written'; exit 1", directory="hooks")
    (dirty.top / "hooks" / "shared").unlink()
    dirty.hook("commit-msg", "echo untracked", directory="hooks")
    output = dirty.snapshot().check(_to_commit(dirty)).output
    assert output == b"committed\nshared\nuntracked\n"
    # And with all of them gone from the working tree.
    (dirty.top / "hooks" / "pre-commit").unlink()
    assert dirty.snapshot().check(_to_commit(dirty)).output == output


def test_husky_finds_its_own_beside_the_committed_files(dirty: Shop) -> None:
    """Husky 9: core.hooksPath is an ignored directory, which calls the tracked files above it."""
    dirty.write({".husky/pre-commit": "echo tracked\n", ".husky/_/.gitignore": "*\n"})
    dirty.git("add", ".husky/pre-commit")
    dirty.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "husky", "--", ".husky")
    dirty.write({".husky/pre-commit": "echo 'half written'; exit 1\n"})
    dirty.write({".husky/_/h": 'sh "$(dirname "$(dirname "$(realpath "$0")")")/pre-commit"\n'})
    dirty.hook("pre-commit", '. "$(dirname "$0")/h"', directory=".husky/_")
    dirty.git("config", "core.hooksPath", ".husky/_")
    assert dirty.snapshot().check(_to_commit(dirty)).output == b"tracked\n"


@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_hook_linked_to_a_tracked_script_is_the_committed_script(
    dirty: Shop, is_absolute: bool
) -> None:
    dirty.hook("check.sh", "echo committed", directory="tools")
    dirty.git("add", "tools")
    dirty.git("commit", "-qm", "tools", "--", "tools")
    dirty.hook("check.sh", "echo 'half written'", directory="tools")
    leads = dirty.top / "tools/check.sh" if is_absolute else Path("../../tools/check.sh")
    (dirty.top / ".git/hooks/pre-commit").symlink_to(leads)
    assert dirty.snapshot().check(_to_commit(dirty)).output == b"committed\n"


def test_hooks_of_all_repositories_are_run_where_they_are(dirty: Shop, tmp_path: Path) -> None:
    hook = dirty.hook("pre-commit", 'echo "$0"; git status -s', directory=str(tmp_path / "all"))
    dirty.git("config", "core.hooksPath", str(tmp_path / "all"))
    output = dirty.snapshot().check(_to_commit(dirty)).output
    assert output == f"{hook}\nM  a.py\n".encode()


def test_a_place_that_cannot_be_written_is_told_with_what_to_do(dirty: Shop) -> None:
    dirty.hook("pre-commit", ":")
    dirty.directory.write_text("a file where the directory should be")
    with pytest.raises(BatonError, match="cannot be used: ") as told:
        dirty.snapshot().check(_to_commit(dirty))
    assert told.value.next == "name another directory: git config baton.work.worktrees DIRECTORY"


_CHILD = """
import sys
from pathlib import Path
from tests.integration.workspace.hooks.shop import Shop
shop = Shop(Path(sys.argv[1]))
print(shop.check("a.py").output.decode(), end="")
"""


def test_a_hook_that_outlives_a_killed_commit_is_ended_by_the_next_i4(dirty: Shop) -> None:
    ready = dirty.top.parent / "ready"
    os.mkfifo(ready)
    dirty.write({"a.py": "a = 2\n"})
    dirty.hook("pre-commit", f"echo $$ > {ready}; sleep 300; echo stale > a.py")
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(dirty.top)])
    hook = int(ready.read_text())
    child.kill()
    child.wait()
    assert psutil.Process(hook).status() != psutil.STATUS_ZOMBIE
    inode = dirty.place.root.stat().st_ino
    dirty.hook("pre-commit", "cat a.py")
    assert dirty.check("a.py").output == b"a = 2\n"
    assert _is_gone(hook)
    assert dirty.place.root.stat().st_ino == inode


def test_one_that_cannot_be_ended_keeps_the_old_checkout_for_itself_i4(dirty: Shop) -> None:
    ready = dirty.top.parent / "ready"
    os.mkfifo(ready)
    dirty.write({"a.py": "a = 2\n"})
    escape = f"import os,time; open({str(ready)!r},'w').write(str(os.getpid())); time.sleep(300)"
    dirty.hook("pre-commit", f'env -i setsid {sys.executable} -c "{escape}" & wait')
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(dirty.top)])
    escaped = psutil.Process(int(ready.read_text()))
    child.kill()
    child.wait()
    inode = dirty.place.root.stat().st_ino
    try:
        dirty.hook("pre-commit", "cat a.py")
        assert dirty.check("a.py").output == b"a = 2\n"
        assert dirty.place.root.stat().st_ino != inode
        assert escaped.status() != psutil.STATUS_ZOMBIE
    finally:
        escaped.kill()


def _is_gone(pid: int) -> bool:
    """Wait until there is no such process, or only its remains."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False
