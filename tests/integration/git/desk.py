"""A client's place in these tests: a bare coordination repository and commits made in it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.git.fast.choosing import choose_remote
from gitbaton.git.fast.direct import DirectRemote
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.objects import Format
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.plain import PlainRemote
from gitbaton.git.remote import Remote
from gitbaton.git.runner import Git, clean_environment
from tests.servers.site import BareRepository

Transport: TypeAlias = Literal["plain", "fast"]


class Desk:
    """One client: its own bare repository, from which it pushes by one kind of transport."""

    def __init__(self, path: Path, transport: Transport = "plain") -> None:
        self.path = path
        self.transport: Transport = transport
        self.env = clean_environment(os.environ)
        self.git = Git(path.parent, self.env, (f"--git-dir={path}",))
        self.git.run("init", "-q", "--bare", str(path))
        hashed = self.git.run("rev-parse", "--show-object-format").text
        self._format: Format = "sha1" if hashed == "sha1" else "sha256"
        self._tree = self.git.run("mktree", stdin=b"").text
        self._numbers = itertools.count(1)
        self._opened: list[FastRemote | DirectRemote | ObjectStore | Desk] = []

    def sibling(self, path: Path) -> Desk:
        """Make another client with the same transport; it is closed with this one."""
        made = Desk(path, self.transport)
        self._opened.append(made)
        return made

    def close(self) -> None:
        """End all connections and processes of this client."""
        while self._opened:
            self._opened.pop().close()

    def commit(self, *parents: str) -> Oid:
        """Make a commit unlike any other of this desk and return its id."""
        return self.exact_commit(f"{self.path.name} {next(self._numbers)}", *parents)

    def exact_commit(self, message: str, *parents: str) -> Oid:
        """Make a commit whose bytes depend on nothing but the arguments."""
        date = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
        words = [word for parent in parents for word in ("-p", parent)]
        made = self.git.run("commit-tree", self._tree, "-m", message, *words, env=date)
        return Oid(made.text)

    def remote(
        self,
        repository: BareRepository,
        *,
        url: str | None = None,
        env: Mapping[str, str] | None = None,
        listing_timeout: float = 30.0,
        push_timeout: float = 30.0,
    ) -> Remote:
        """Return the transport to ``repository``, or to ``url`` with its credentials."""
        git = self.git_for(repository, env=env)
        times = {"listing_timeout": listing_timeout, "push_timeout": push_timeout}
        if self.transport == "plain":
            return PlainRemote(git, url or repository.url, **times)
        objects = ObjectStore(git, self.path, self._format)
        self._opened.append(objects)
        remote = choose_remote(git, objects, url or repository.url, **times)
        if isinstance(remote, FastRemote | DirectRemote):
            self._opened.append(remote)
        return remote

    def git_for(self, repository: BareRepository, *, env: Mapping[str, str] | None = None) -> Git:
        """Return git with what it takes to reach ``repository``; ``env`` wins over that."""
        full = {**self.env, **repository.env, **(env or {})}
        return Git(self.git.directory, full, self.git.options)

    def has(self, oid: str) -> bool:
        """Tell whether the object is in this desk's repository."""
        return self.git.run("cat-file", "-e", oid, check=False).status == 0

    def refs(self) -> str:
        """Return all refs of this desk's repository: there should be none."""
        return self.git.run("for-each-ref").text
