"""A bare remote on disk, clones of it, and stores in them, for tests that break things."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Oid
from gitbaton.git.fast.choosing import open_remote
from gitbaton.git.remote import Choose, Listing, RefResult, RefUpdate, Remote
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.gitengine import GitStore, Layout
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Committed,
    Delete,
    Key,
    Move,
    Outcome,
    Transaction,
    Value,
    Version,
    make_key,
)
from tests.contract.gitsite import PlainPolicy

ACTOR = Actor("laptop-C/w1")
Wrap = Callable[[Remote], Remote]


@dataclass
class Place:
    """One remote at ``root/remote.git`` and numbered clones beside it."""

    root: Path
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    opened: list[CoordinationRepository | Remote] = field(default_factory=list)

    @property
    def remote(self) -> Path:
        return self.root / "remote.git"

    def git(self, *args: str, stdin: str | None = None) -> str:
        """Run git in the remote's repository."""
        done = subprocess.run(
            ["git", "-C", str(self.remote), *args],
            check=True,
            capture_output=True,
            text=True,
            input=stdin,
        )
        return done.stdout.strip()

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return the remote's refs below ``prefix``."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ") for line in listed.splitlines())

    def hook(self, name: str, script: str) -> None:
        """Install a hook on the remote."""
        path = self.remote / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def clone(self, number: int) -> Path:
        """Return clone ``number``, made on first use, with one commit on main."""
        path = self.root / f"clone{number}"
        if not path.exists():
            # Not `git clone`: of an empty remote it does not take over the object format.
            form = self.git("rev-parse", "--show-object-format")
            made = ["git", "init", "--quiet", f"--object-format={form}", str(path)]
            subprocess.run(made, check=True)
            named = ["git", "-C", str(path), "remote", "add", "origin", str(self.remote)]
            subprocess.run(named, check=True)
        return path

    def repository(self, number: int = 0) -> CoordinationRepository:
        """Return the coordination repository of clone ``number``."""
        found = Clone.find(self.clone(number), {**os.environ, **self.env})
        repository = CoordinationRepository.open(found)
        self.opened.append(repository)
        return repository

    def transport(self, repository: CoordinationRepository) -> Remote:
        """Return a transport from ``repository`` to the remote."""
        remote = open_remote(repository, self.url or str(self.remote))
        self.opened.append(remote)
        return remote

    def close(self) -> None:
        """End the connections and processes of all that was opened here."""
        while self.opened:
            self.opened.pop().close()

    def store(
        self,
        number: int = 0,
        *,
        wrap: Wrap | None = None,
        layout: Layout | None = None,
        policy: PlainPolicy | None = None,
    ) -> GitStore:
        """Return a new store in clone ``number``; ``wrap`` may put something before its remote."""
        repository = self.repository(number)
        remote = self.transport(repository)
        return GitStore(
            repository,
            wrap(remote) if wrap else remote,
            policy=policy or PlainPolicy(),
            clock=SystemClock(),
            rng=random.Random(7),
            layout=layout,
        )

    def commit_file(self, number: int, name: str, text: str, branch: str = "main") -> Oid:
        """Commit a file on ``branch`` of a clone, push nothing, return the commit."""
        path = self.clone(number)
        run = ["git", "-C", str(path)]
        subprocess.run([*run, "checkout", "-q", "-B", branch], check=True, capture_output=True)
        (path / name).write_text(text)
        subprocess.run([*run, "add", name], check=True)
        subprocess.run([*run, "commit", "-qm", f"add {name}"], check=True)
        shown = subprocess.run([*run, "rev-parse", "HEAD"], check=True, capture_output=True)
        return Oid(shown.stdout.decode().strip())


def make_place(root: Path, *, object_format: str = "sha1") -> Place:
    """Return a place with an empty remote."""
    subprocess.run(
        [
            "git",
            "init",
            "--quiet",
            "--bare",
            f"--object-format={object_format}",
            str(root / "remote.git"),
        ],
        check=True,
    )
    return Place(root)


def change(
    expect: Mapping[Key, Version | Absent],
    write: Mapping[Key, Value | Delete],
    *moves: Move,
    subject: str = "test: change",
    heartbeat: bool = False,
) -> Transaction:
    """Return a transaction by the usual actor."""
    return Transaction(
        expect=expect,
        write=write,
        moves=moves,
        subject=subject,
        actor=ACTOR,
        heartbeat=heartbeat,
    )


def won(outcomes: Sequence[Outcome]) -> Mapping[Key, Version]:
    """Return the versions of the one outcome, which must be a success."""
    (outcome,) = outcomes
    assert isinstance(outcome, Committed), outcome
    return outcome.versions


def create(store: GitStore, name: str, value: Value | None = None) -> Version:
    """Create the task record ``name``."""
    key = make_key("tasks", name)
    return won(store.commit([change({key: ABSENT}, {key: value or {"n": 0}})]))[key]


def put(store: GitStore, key: Key, value: Value, version: Version | Absent) -> Version:
    """Replace ``version`` of ``key``."""
    return won(store.commit([change({key: version}, {key: value})]))[key]


class Forwarding:
    """A remote that passes everything on; the base of those that misbehave."""

    def __init__(self, remote: Remote) -> None:
        self.inner = remote

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def supports_atomic(self) -> bool | None:
        return self.inner.supports_atomic

    def list(self, prefixes: Sequence[str]) -> Listing:
        return self.inner.list(prefixes)

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        self.inner.fetch(refs, have=have)

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        return self.inner.push(updates, atomic=atomic)

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        return self.push(choose(None), atomic=False)

    def close(self) -> None:
        self.inner.close()
