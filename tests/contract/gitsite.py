"""The git engine under contract: one bare remote and four clones; and its mutant."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.git.fast.choosing import open_remote
from gitbaton.git.plain import PlainRemote
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.gitengine import GitStore
from gitbaton.store.model import Value
from gitbaton.store.protocol import Store

CLONES = 4


class PlainPolicy:
    """A board policy for records without meaning: a small window, and pages that name them."""

    collection = "tasks"
    live_window = 24

    def finished(self, value: Value) -> bool:
        return bool(value.get("finished"))

    def parkable(self, value: Value) -> bool:
        return True

    def order(self, name: str, value: Value) -> tuple[object, ...]:
        return (name,)

    def wanted(self, records: Mapping[str, Value]) -> int:
        return max(0, 4 - len(records))

    def render(self, records: Mapping[str, Value], *, others: int = 0) -> Mapping[str, bytes]:
        lines = [*(f"- {name!r}\n" for name in sorted(records)), f"{others} more\n"]
        return {"README.md": "".join(lines).encode()}


class CarelessRemote(PlainRemote):
    """A mutant: it forces every ref to its new value, whatever value it expects there."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        specs = [f"+{update.new or ''}:{update.ref}" for update in updates]
        self._git.run("push", "--quiet", "--force", self._url, *specs, check=False)
        return {update.ref: RefResult(PushState.DONE) for update in updates}


def prepare_git(site: Path) -> None:
    """Make the remote of ``site`` and clones of it."""
    _git(site, "init", "--quiet", "--bare", "remote.git")
    for number in range(CLONES):
        _git(site, "clone", "--quiet", "remote.git", f"clone{number}")


def open_git(site: Path, clone: int = 0) -> Store:
    """Return a new store in one of the clones of ``site``, over the transport in service."""
    return _open(site, clone, open_remote)


def open_git_plain(site: Path, clone: int = 0) -> Store:
    """Return a new store in one of the clones of ``site``, over the commands of git."""
    return _open(site, clone, lambda repository, url: PlainRemote(repository.git, url))


def open_careless_git(site: Path, clone: int = 0) -> Store:
    """Return a new careless store in one of the clones of ``site``."""
    return _open(site, clone, lambda repository, url: CarelessRemote(repository.git, url))


def _open(site: Path, clone: int, reach: Callable[[CoordinationRepository, str], Remote]) -> Store:
    found = Clone.find(site / f"clone{clone % CLONES}", os.environ)
    repository = CoordinationRepository.open(found)
    return _StoreOfSite(repository, reach(repository, str(site / "remote.git")))


class _StoreOfSite(GitStore):
    """A store that is alone on its transport, and ends it."""

    def __init__(self, repository: CoordinationRepository, remote: Remote) -> None:
        policy, clock = PlainPolicy(), SystemClock()
        super().__init__(repository, remote, policy=policy, clock=clock, rng=random.Random())
        self._alone_on = remote

    def close(self) -> None:
        self._alone_on.close()
        super().close()


def _git(directory: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=directory, check=True, capture_output=True)
