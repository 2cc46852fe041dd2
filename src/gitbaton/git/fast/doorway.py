"""Which repositories at a path may be moved in directly, without receive-pack at the door.

receive-pack does more than to move refs: it runs hooks, obeys ``receive.*`` and ``transfer.*``,
and keeps what it is sent apart until all is checked. Where none of that is asked for, a record's
move is the same ref transaction without it. In doubt the door is shut: receive-pack serves always.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, TypeAlias

from gitbaton.core.errors import BatonError
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.objects import Format
from gitbaton.git.runner import Git

Stamp: TypeAlias = tuple[int, int, int]

_HOOKS: Final = (
    "pre-receive",
    "update",
    "proc-receive",
    "reference-transaction",
    "post-receive",
    "post-update",
    "push-to-checkout",
)
# Rules about branches, deletions and upkeep: a move of a record meets none of them.
_HARMLESS: Final = frozenset(
    {
        "receive.advertiseatomic",
        "receive.advertisepushoptions",
        "receive.autogc",
        "receive.denycurrentbranch",
        "receive.denydeletecurrent",
        "receive.denydeletes",
        "receive.keepalive",
        "receive.unpacklimit",
        "transfer.unpacklimit",
    }
)
_SECTIONS: Final = ("receive.", "transfer.", "extensions.", "hook.", "core.fsync", "gc.pruneexpire")
_TRUSTED: Final = 30.0  # seconds until the configuration of the user and the machine is read again
_PRIVATE: Final = ("0", "false", "umask")


class Doorway:
    """The door of the repository at ``path``. Asking whether it is open costs some system calls.

    Its configuration is read again when the repository's own file has changed, and from time to
    time, for what that includes and what stands elsewhere. Hooks are looked for at every question:
    one that is installed later counts from the next push on, as it would for receive-pack.
    """

    def __init__(self, git: Git, path: str, format: Format) -> None:
        self._format = format
        self.directory = _git_directory(Path(path))
        self.git = Git(
            self.directory or Path(path), git.env, (f"--git-dir={self.directory}",), git.binary
        )
        self._stamp: Stamp | None = None
        self._read_at = 0.0
        self._plain = False

    def is_open(self) -> bool:
        """Tell whether records there may be moved directly, now."""
        if self.directory is None:
            return False
        try:
            stamp = stamp_of(self.directory / "config")
            now = time.monotonic()
            if stamp != self._stamp or now - self._read_at > _TRUSTED:
                self._plain = self._is_plain(self.directory)
                self._stamp, self._read_at = stamp, now
            return self._plain and not _has_hooks(self.directory / "hooks")
        except (OSError, BatonError):
            return False

    def _is_plain(self, directory: Path) -> bool:
        """Tell whether nothing there asks for more than that refs move."""
        if (directory / "commondir").exists():
            return False
        # Git itself does not enter a repository of somebody else unless told that it is safe.
        owners = {(directory / name).stat().st_uid for name in (".", "objects", "refs", "config")}
        if owners != {os.geteuid()}:
            return False
        listed = self.git.run("config", "--null", "--list", check=False)
        if listed.status != 0:  # what cannot be read may hold any rule
            return False
        config = Configuration.parse(listed.stdout.decode("utf-8", "surrogateescape"))
        if config.last("core.hookspath") is not None:
            return False
        if (config.last("core.sharedrepository") or "false").lower() not in _PRIVATE:
            return False
        if (config.last("extensions.objectformat") or "sha1") != self._format:
            return False
        allowed = _HARMLESS | {"extensions.objectformat"}
        return not any(n.startswith(_SECTIONS) and n not in allowed for n in config.values)


def _git_directory(path: Path) -> Path | None:
    """Return where git finds the repository that ``path`` names, None where that is not plain."""
    for directory in (path / ".git", path):
        if directory.is_dir() and all(
            (directory / name).exists() for name in ("HEAD", "objects", "refs", "config")
        ):
            return directory
        if directory.is_file():  # a linked worktree, a submodule
            return None
    return None


def _has_hooks(directory: Path) -> bool:
    return any(os.access(directory / name, os.X_OK) for name in _HOOKS)


def stamp_of(path: Path) -> Stamp:
    """Return what changes when the file is replaced or written. Raises OSError."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
