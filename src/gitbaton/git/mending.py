"""Fetches with all that belongs to it what is here in part, or cannot be read.

Git believes what is here: a commit that the clone has of a fetch that was ended, a ref whose
objects went with a power cut. So the refs are fetched into an empty repository that borrows
nothing, and its packs are taken over: git reads a pack before a loose object of the same name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.git.promises import drop_promises
from gitbaton.git.runner import Git

_PATIENCE: Final = 300.0  # seconds, for another process that does the same
_OUR_REFS: Final = ("-c", "core.alternateRefsPrefixes=refs/none")
_ORDER: Final = (".pack", ".rev", ".idx")  # a pack is there when its index is


def believing_only_us(git: Git) -> Git:
    """Return ``git`` so that a fetch builds on our own refs alone, and lacks nothing afterwards.

    Of what is borrowed, git takes all that the lender's refs lead to for here, and lets be missing
    what a remote has promised to send later (gitformat-pack; git-clone(1), ``--filter``).
    """
    options = (*drop_promises(git.options), *_OUR_REFS)
    return Git(git.directory, git.env, options, git.binary)


def fetch_apart(git: Git, fetch: Callable[[Git], None]) -> None:
    """Let ``fetch`` bring what it wants into an empty repository; take that over into ``git``'s.

    Processes take turns. Killed half way, what was fetched is left in ``mending``, which the next
    one removes. Raises BatonError when the disk is full or not writable, and what ``fetch`` raises.
    """
    import shutil

    from filelock import FileLock, Timeout

    home = Path(git.run("rev-parse", "--absolute-git-dir").text)
    apart = home / "mending"
    try:
        with FileLock(home / "mending.lock", timeout=_PATIENCE):
            shutil.rmtree(apart, ignore_errors=True)
            try:
                fetch(_make_empty(git, home, apart))
                _take_over(apart / "objects" / "pack", home / "objects" / "pack")
            finally:
                shutil.rmtree(apart, ignore_errors=True)
    except Timeout as error:
        raise BatonError(
            f"another process mends {home}, and does not end",
            next=f"fuser {home / 'mending.lock'}, to see which one",
        ) from error
    except OSError as error:
        raise BatonError(
            f"cannot write to {home}: {error.strerror}", next=f"ls -ld {home}; df {home}"
        ) from error


def _make_empty(git: Git, home: Path, path: Path) -> Git:
    form = git.run("rev-parse", "--show-object-format").text
    git.run("init", "-q", "--bare", "--template=", f"--object-format={form}", str(path))
    settings = home / "clone.config"  # addresses, credentials: what a fetch needs
    others = (w for w in drop_promises(git.options) if not w.startswith("--git-dir="))
    empty = Git(git.directory, git.env, (f"--git-dir={path}", *others), git.binary)
    if settings.is_file():
        empty.run("config", "include.path", str(settings))
    return empty


def _take_over(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for suffix in _ORDER:
        for path in source.glob(f"pack-*{suffix}"):
            os.replace(path, target / path.name)
