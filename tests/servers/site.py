"""A place that serves bare repositories, and one such repository."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Site:
    """A git server: every bare repository under ``root`` has an address there.

    ``env`` is what a client needs to get in. ``port`` is the server's, None for plain files.
    """

    kind: str
    root: Path
    address: Callable[[Path, int | None], str]
    env: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def fresh(self, *, object_format: str = "sha1") -> BareRepository:
        """Make an empty bare repository and return it."""
        path = self.root / f"r{next(self._numbers)}.git"
        shutil.copytree(self._empty(object_format), path)
        return BareRepository(self, path)

    def _empty(self, object_format: str) -> Path:
        """Return the repository that every fresh one is a copy of; git makes it once."""
        path = self.root / f"empty-{object_format}.git"
        if not path.exists():
            making = ["git", "init", "-q", "--bare", f"--object-format={object_format}", str(path)]
            subprocess.run(making, check=True)
            repository = BareRepository(self, path)
            repository.configure("http.receivepack", "true")
            repository.configure("receive.autogc", "false")  # it would outlive the push
        return path


@dataclass(frozen=True)
class BareRepository:
    """A bare repository: its address for clients, and its inside for the test."""

    site: Site
    path: Path

    @property
    def url(self) -> str:
        """The address for clients."""
        return self.site.address(self.path, self.site.port)

    @property
    def env(self) -> Mapping[str, str]:
        """What a client must have in its environment to get in."""
        return self.site.env

    def through(self, port: int) -> str:
        """Return the address by way of a relay that listens on ``port``."""
        return self.site.address(self.path, port)

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        """Run git inside the repository, past all transports and hooks of the server."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *args],
            input=stdin,
            capture_output=True,
            check=True,
            env={**os.environ, "GIT_DIR": str(self.path)},
        )
        return done.stdout.decode().rstrip("\n")

    def refs(self) -> dict[str, str]:
        """Return all refs as they are on disk."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def configure(self, name: str, value: str) -> None:
        """Set one configuration value of the server's repository."""
        self.git("config", name, value)

    def hook(self, name: str, script: str) -> None:
        """Install a server hook; ``script`` is POSIX shell without the first line."""
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
