"""The coordination repository: what it takes over from the clone, and what it survives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError, GitFailed
from gitbaton.git.plain import PlainRemote
from gitbaton.git.repository import Clone, CoordinationRepository


def git(directory: Path, *args: str) -> str:
    """Run git in ``directory`` and return what it printed."""
    done = subprocess.run(["git", *args], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A clone with one commit on main, pushed to a bare remote beside it."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "init", "-q", "-b", "main", "clone")
    path = tmp_path / "clone"
    git(path, "remote", "add", "origin", str(tmp_path / "remote.git"))
    (path / "file.txt").write_text("one\n")
    git(path, "add", "file.txt")
    git(path, "commit", "-qm", "one")
    git(path, "push", "-q", "-u", "origin", "main")
    return path


def opened(top: Path) -> CoordinationRepository:
    """Return the coordination repository as a new process would open it."""
    return CoordinationRepository.open(Clone.find(top, os.environ))


def test_the_clone_is_found_from_anywhere_in_it(top: Path) -> None:
    (top / "deep" / "er").mkdir(parents=True)
    git(top, "worktree", "add", "-q", "../linked")
    commons = {Clone.find(p, os.environ).common for p in (top, top / "deep/er", top / "../linked")}
    assert commons == {top / ".git"}


def test_outside_of_a_repository_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BatonError, match="not in a git repository"):
        Clone.find(tmp_path, os.environ)


def test_identity_urls_and_hooks_of_the_clone_hold(top: Path) -> None:
    opened(top)
    for name, value in (
        ("user.name", 'Ann "the" Lee'),
        ("url.https://mirror.example/.insteadOf", "corp:"),
        ("http.extraHeader", "X-Token: a\\b"),
        ("core.sparseCheckout", "true"),
        ("branch.main.remote", "elsewhere"),
    ):
        git(top, "config", name, value)
    os.utime(top / ".git" / "config", ns=(2**62, 2**62))
    repository = opened(top)

    def setting(name: str) -> str:
        return repository.git.run("config", "--get", name, check=False).text

    assert setting("user.name") == 'Ann "the" Lee'
    assert setting("url.https://mirror.example/.insteadof") == "corp:"
    assert setting("http.extraheader") == "X-Token: a\\b"
    assert setting("core.sparsecheckout") == setting("branch.main.remote") == ""
    assert setting("core.bare") == "true"
    assert (repository.path / "clone.config").stat().st_mode & 0o077 == 0
    assert repository.git.run("rev-parse", "--is-bare-repository").text == "true"


def test_an_agents_git_config_does_not_make_it_another_repository(top: Path) -> None:
    repository = opened(top)
    git(repository.path, "config", "core.worktree", "/")
    git(repository.path, "config", "core.bare", "false")
    again = opened(top)
    assert again.git.run("rev-parse", "--is-bare-repository").text == "true"
    assert again.git.run("config", "--get", "core.worktree", check=False).text == ""


def test_what_a_fetch_brings_appears_whole(top: Path, tmp_path: Path) -> None:
    """I4: unpacked into loose objects, a commit is seen before its trees."""
    git(tmp_path, "clone", "-q", "remote.git", "other")
    (tmp_path / "other" / "two.txt").write_text("two\n")
    git(tmp_path / "other", "add", "two.txt")
    git(tmp_path / "other", "commit", "-qm", "two")
    git(tmp_path / "other", "push", "-q")
    repository = opened(top)
    remote = PlainRemote(repository.git, str(tmp_path / "remote.git"))
    tip = remote.list(["refs/heads/main"]).refs["refs/heads/main"]
    remote.fetch({"refs/heads/main": tip})
    assert not repository.objects.missing([tip])
    loose = [p for p in (repository.path / "objects").glob("??/*") if p.is_file()]
    assert loose == []
    assert len(list((repository.path / "objects" / "pack").glob("*.pack"))) == 1


def test_a_relative_remote_is_found_from_the_work_tree(top: Path) -> None:
    repository = opened(top)
    assert "refs/heads/main" in PlainRemote(repository.git, "../remote.git").list(["refs/"]).refs


def test_kept_work_outlives_what_it_was_borrowed_from(top: Path, tmp_path: Path) -> None:
    """I3: the clone's `git gc` knows nothing of us."""
    git(top, "checkout", "-qb", "feature")
    (top / "work.txt").write_text("work\n")
    git(top, "add", "work.txt")
    git(top, "commit", "-qm", "work")
    commit = git(top, "rev-parse", "HEAD")
    repository = opened(top)
    repository.keep("queued/task-001-e1", commit)
    git(top, "checkout", "-q", "main")
    git(top, "branch", "-qD", "feature")
    git(top, "reflog", "expire", "--expire=now", "--all")
    git(top, "gc", "-q", "--prune=now")
    assert subprocess.run(["git", "cat-file", "-e", commit], cwd=top, check=False).returncode
    assert repository.kept() == {"queued/task-001-e1": commit}
    repository.git.run("fsck", "--connectivity-only")
    url = str(tmp_path / "remote.git")
    repository.git.run("push", "-q", url, f"{commit}:refs/heads/saved")
    assert git(tmp_path / "remote.git", "show", "saved:work.txt") == "work"


def test_history_ends_where_the_clones_ends(top: Path, tmp_path: Path) -> None:
    for name in ("two", "three"):
        git(top, "commit", "-qm", name, "--allow-empty")
    git(top, "push", "-q")
    url = f"file://{tmp_path / 'remote.git'}"
    git(tmp_path, "clone", "-q", "--depth=1", url, "shallow")
    shallow = tmp_path / "shallow"
    assert (
        opened(shallow).git.run("rev-list", "--count", git(shallow, "rev-parse", "HEAD")).text
        == "1"
    )
    git(top, "commit", "-qm", "four", "--allow-empty")
    git(top, "push", "-q")
    git(shallow, "fetch", "-q", "--depth=1", "origin", "main")
    tip = git(shallow, "rev-parse", "FETCH_HEAD")
    assert opened(shallow).git.run("rev-list", "--count", tip).text == "1"
    git(shallow, "fetch", "-q", "--unshallow", "origin", "main")
    assert opened(shallow).git.run("rev-list", "--count", tip).text == "4"


def test_an_object_that_is_not_here_is_no_answer(top: Path) -> None:
    repository = opened(top)
    head = git(top, "rev-parse", "HEAD")
    assert repository.is_ancestor(head, head)
    with pytest.raises(GitFailed):
        repository.is_ancestor("1" * 40, head)


def test_many_processes_may_make_it_at_once(top: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from gitbaton.git.repository import Clone, CoordinationRepository;"
        "r = CoordinationRepository.open(Clone.find(Path(sys.argv[1]), os.environ));"
        "print(r.git.run('rev-parse', '--is-bare-repository').text)"
    )
    source = Path(__file__).parents[3] / "src"
    env = {**os.environ, "PYTHONPATH": str(source)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(top)], stdout=subprocess.PIPE, env=env)
        for _ in range(16)
    ]
    said = [process.communicate()[0].decode().strip() for process in started]
    assert said == ["true"] * 16


def test_the_clone_is_left_as_it_was(top: Path) -> None:
    def state() -> tuple[str, ...]:
        return (
            git(top, "for-each-ref"),
            (top / ".git" / "config").read_text(),
            git(top, "status", "--porcelain", "--ignored"),
            git(top, "stash", "list"),
            git(top, "worktree", "list"),
        )

    before, index = state(), (top / ".git" / "index").read_bytes()
    repository = opened(top)
    repository.keep("queued/x", git(top, "rev-parse", "HEAD"))
    repository.remember("board", git(top, "rev-parse", "HEAD"))
    assert (top / ".git" / "index").read_bytes() == index
    assert state() == before
