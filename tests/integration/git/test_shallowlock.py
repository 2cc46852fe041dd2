"""The lock of the ends of history: whose it is, and that nobody's is in nobody's way."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.git.plain import PlainRemote
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.git.runner import Git
from gitbaton.git.shallow import fetch_last, forget_ends
from gitbaton.git.shallowlock import ShallowLock
from tests.servers.site import BareRepository


@pytest.fixture
def repository(file_remote: BareRepository, tmp_path: Path) -> Iterator[CoordinationRepository]:
    """A clone's own repository, and three commits on the remote."""
    made = b"".join(
        b"commit refs/heads/world\ncommitter A <a@x> %d +0000\ndata 4\nno %d\n" % (1_700_000_000, n)
        for n in range(3)
    )
    file_remote.git("fast-import", "--quiet", stdin=made)
    subprocess.run(["git", "init", "-q", str(tmp_path / "clone")], check=True)
    clone = Clone.find(tmp_path / "clone", {**os.environ, **file_remote.env})
    opened = CoordinationRepository.open(clone)
    yield opened
    opened.close()


def at_work(lock: ShallowLock) -> subprocess.Popen[bytes]:
    """Return a program that may have the lock, and whose parent has lost it."""
    with lock.used() as inherit:
        return subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=inherit)


def test_what_an_orphan_still_uses_is_not_cleared(tmp_path: Path) -> None:
    """A baton that is killed with KILL leaves its git behind, at work."""
    lock = ShallowLock(tmp_path)
    assert lock.clear(), "there is nothing to be cleared"
    with at_work(lock) as one, at_work(lock) as two:
        lock.path.touch()
        for orphan in (one, two):
            assert not lock.clear() and lock.path.exists()
            orphan.communicate()
        assert lock.clear() and not lock.path.exists()


def test_a_fetch_that_does_not_end_is_told_of(
    repository: CoordinationRepository, file_remote: BareRepository
) -> None:
    """It is not the network's fault."""
    lock = ShallowLock(repository.path)
    remote = PlainRemote(repository.git, file_remote.url)
    with at_work(lock) as orphan:
        lock.path.touch()
        with pytest.raises(RemoteUnreachable, match="another git fetches into") as raised:
            fetch_last(repository, remote, "refs/heads/world", 1, patience=0.0)
        assert f"rm {lock.path}" in str(raised.value.next)
        orphan.communicate()
    fetch_last(repository, remote, "refs/heads/world", 1)
    assert not lock.path.exists() and (repository.path / "shallow").exists()


def test_a_fetch_that_was_ended_is_in_nobodys_way(
    repository: CoordinationRepository, file_remote: BareRepository, tmp_path: Path
) -> None:
    """By ^C, or for want of time: git is killed, and leaves its lock."""
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\nexec sleep 60\n")
    hook.chmod(0o755)
    (tmp_path / "config").write_text(f"[uploadpack]\n\tpackObjectsHook = {hook}\n")
    git = repository.git
    slow = Git(
        git.directory, {**git.env, "GIT_CONFIG_GLOBAL": str(tmp_path / "config")}, git.options
    )
    with pytest.raises(RemoteUnreachable):
        fetch_last(
            repository,
            PlainRemote(slow, file_remote.url, push_timeout=1.0),
            "refs/heads/world",
            1,
        )
    lock = ShallowLock(repository.path)
    assert lock.path.exists(), "or this test shows nothing"
    fetch_last(repository, PlainRemote(git, file_remote.url), "refs/heads/world", 1)
    assert not lock.path.exists() and (repository.path / "shallow").exists()


def test_a_second_fetch_waits_for_the_first(
    repository: CoordinationRepository, file_remote: BareRepository
) -> None:
    """Two commands in one clone that meets the world, and a slow network."""
    lock = ShallowLock(repository.path)
    with at_work(lock) as first:
        lock.path.touch()
        pauses: list[float] = []

        def end_the_first(seconds: float) -> None:
            pauses.append(seconds)
            lock.path.unlink(missing_ok=True)  # as its git does

        remote = PlainRemote(repository.git, file_remote.url)
        fetch_last(repository, remote, "refs/heads/world", 1, sleep=end_the_first)
        assert len(pauses) == 1
        first.communicate()


def test_a_lock_that_comes_in_between_is_met_again(
    repository: CoordinationRepository,
    file_remote: BareRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Git finds it after we did not; it is no failure of the remote either."""
    lock = ShallowLock(repository.path)
    lock.path.touch()
    told = iter([True])  # the look before the fetch comes too early
    clear = ShallowLock.clear
    monkeypatch.setattr(ShallowLock, "clear", lambda self: next(told, None) or clear(self))
    fetch_last(repository, PlainRemote(repository.git, file_remote.url), "refs/heads/world", 1)
    assert not lock.path.exists() and (repository.path / "shallow").exists()


def test_a_full_disk_leaves_no_lock(
    repository: CoordinationRepository,
    file_remote: BareRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be forgotten now is forgotten later."""
    remote = PlainRemote(repository.git, file_remote.url)
    fetch_last(repository, remote, "refs/heads/world", 1)

    def fail(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        assert forget_ends(repository, lambda subject: True, above=0) == 0
    assert not ShallowLock(repository.path).path.exists()
    assert forget_ends(repository, lambda subject: True, above=0) == 1
