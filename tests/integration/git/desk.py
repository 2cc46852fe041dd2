"""A client's place in these tests: a bare coordination repository and commits made in it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from gitbaton.core.ids import Oid
from gitbaton.git.plain import PlainRemote
from gitbaton.git.runner import Git, clean_environment
from tests.servers.site import BareRepository


class Desk:
    """One client: its own bare repository, from which it pushes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = clean_environment(os.environ)
        self.git = Git(path.parent, self.env, (f"--git-dir={path}",))
        self.git.run("init", "-q", "--bare", str(path))
        self._tree = self.git.run("mktree", stdin=b"").text
        self._numbers = itertools.count(1)

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
        listing_timeout: float = 30.0,
        push_timeout: float = 30.0,
    ) -> PlainRemote:
        """Return the transport to ``repository``, or to ``url`` with its credentials."""
        git = Git(self.git.directory, {**self.env, **repository.env}, self.git.options)
        return PlainRemote(
            git,
            url or repository.url,
            listing_timeout=listing_timeout,
            push_timeout=push_timeout,
        )

    def has(self, oid: str) -> bool:
        """Tell whether the object is in this desk's repository."""
        return self.git.run("cat-file", "-e", oid, check=False).status == 0

    def refs(self) -> str:
        """Return all refs of this desk's repository: there should be none."""
        return self.git.run("for-each-ref").text
