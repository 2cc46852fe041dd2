"""One working tree of a repository: the main one, a linked one, or one that an agent works in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from gitbaton.core.errors import BatonError
from gitbaton.git.objects import Format
from gitbaton.git.repository import is_coordination
from gitbaton.git.runner import Git, clean_environment


class WorkingTree(Struct, frozen=True):
    """Where a working tree is, and git running at its top.

    ``git_dir`` is this working tree's own (its HEAD, its index), ``common`` the one that all
    working trees of the repository share (refs, objects). ``prefix`` leads from the top to the
    directory that was asked about: empty, or with a final slash.
    """

    top: Path
    git_dir: Path
    common: Path
    prefix: bytes
    git: Git
    format: Format

    @staticmethod
    def find(directory: Path, env: Mapping[str, str]) -> WorkingTree:
        """Return the working tree that ``directory`` is in. Raises BatonError outside of one."""
        git = Git(directory, clean_environment(env))
        asked = git.run(
            *("rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"),
            *("--show-toplevel", "--show-object-format", "--show-prefix"),
            check=False,
        )
        if asked.status != 0:
            from gitbaton.git.outside import explain_outside  # only on the way out

            raise explain_outside(
                asked.stderr,
                directory,
                wanted="the working tree of a git repository",
                next="cd into one, or baton -C DIR",
            )
        # The prefix is last: it may hold newlines of its own.
        git_dir, common, top, hashed, prefix = os.fsdecode(asked.stdout).split("\n", 4)
        if hashed not in ("sha1", "sha256"):
            raise BatonError(
                f"object format {hashed!r} is not supported",
                next="git rev-parse --show-object-format",
            )
        return WorkingTree(
            top=Path(top),
            git_dir=Path(git_dir),
            common=Path(common),
            prefix=os.fsencode(prefix.removesuffix("\n")),
            git=Git(Path(top), git.env),
            format="sha1" if hashed == "sha1" else "sha256",
        )

    @property
    def state(self) -> Path:
        """The directory of this working tree that gitbaton keeps its own files in.

        Inside of the git directory: nothing that cleans the working tree comes there.
        """
        return self.git_dir / "baton"

    @property
    def clone_state(self) -> Path:
        """The directory that gitbaton keeps for all working trees of the clone together."""
        return self.common if is_coordination(self.common) else self.common / "baton"
