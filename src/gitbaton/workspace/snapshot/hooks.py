"""The hooks that a commit has: where they are, which of them run, and from where.

How git finds them: githooks(5), and core.hooksPath in git-config(1).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.guarding.recognition import is_idle


class Found(Struct, frozen=True):
    """The hooks among those asked for: ``runnable``, and those that are not ``executable``."""

    runnable: tuple[str, ...]
    inert: tuple[str, ...]


class HookDirectory(Struct, frozen=True):
    """Where the hooks of a working tree are.

    ``path`` is where they are for the user. ``inside`` is the same from the top of any checkout,
    where it is meant so: for the clone's own hooks and for a core.hooksPath inside the tree.
    ``is_own``: they are the clone's, in ``.git/hooks``.
    """

    tree: WorkingTree
    path: Path
    inside: str | None
    is_own: bool

    @staticmethod
    def of(tree: WorkingTree, setting: str | None, env: Mapping[str, str]) -> HookDirectory:
        """Return the directory that core.hooksPath = ``setting`` names (None: not set)."""
        own = tree.common / "hooks"
        if setting is None:
            return HookDirectory(tree, own, ".git/hooks", is_own=True)
        if setting.startswith("~/") and "HOME" in env:
            setting = env["HOME"] + setting[1:]
        path = Path(os.path.normpath(tree.top / setting))
        # Our own worktrees name the hooks of the clone that they belong to.
        if path == own or (path.name == "hooks" and (path.parent / "HEAD").is_file()):
            return HookDirectory(tree, path, ".git/hooks", is_own=True)
        is_inside = path.is_relative_to(tree.top) and not any(
            path.is_relative_to(place) for place in (tree.git_dir, tree.common)
        )
        inside = path.relative_to(tree.top).as_posix() if is_inside else None
        return HookDirectory(tree, path, inside, is_own=False)

    def find(self, names: Sequence[str], content: Oid) -> Found:
        """Return which of the hooks ``names`` there are for a commit of the tree ``content``.

        One that is tracked is judged by what is committed of it. Raises GitFailed.
        """
        modes = dict(self._modes(names, content))
        present = [name for name in names if name in modes]
        return Found(
            runnable=tuple(n for n in present if modes[n] & 0o111),
            inert=tuple(n for n in present if not modes[n] & 0o111),
        )

    def command(self, name: str) -> str:
        """Return how the hook ``name`` is called at the top of the checkout."""
        if self.inside is None:
            return str(self.path / name)
        # At the top with a slash too: else a program of that name would be looked for on PATH.
        return f"./{name}" if self.inside == "." else f"{self.inside}/{name}"

    def install(self, checkout: Path) -> None:
        """Put into ``checkout`` what of this directory is not part of the commit.

        Copied, not linked: a hook that looks for the repository above it shall find the checkout.
        Raises OSError.
        """
        if self.inside is None or self.inside == "." or not self.path.is_dir():
            return
        import shutil  # a commit without hooks does not come here

        target = checkout / self.inside
        if not target.is_dir():
            shutil.copytree(
                self.path, target, symlinks=True, ignore=shutil.ignore_patterns("*.sample")
            )
        else:
            for item in os.scandir(self.path):
                place = target / item.name
                if not os.path.lexists(place) and not item.is_dir(follow_symlinks=False):
                    shutil.copy2(item.path, place, follow_symlinks=False)
        for link in (entry for entry in os.scandir(target) if entry.is_symlink()):
            self._turn(Path(link.path), checkout)

    def _turn(self, link: Path, checkout: Path) -> None:
        """Let ``link`` lead to the committed file, where it leads to the user's."""
        leads = Path(os.readlink(link))
        if leads.is_absolute() and leads.is_relative_to(self.tree.top):
            committed = checkout / leads.relative_to(self.tree.top)
            if committed.is_file():
                link.unlink()
                link.symlink_to(committed)

    def _modes(self, names: Sequence[str], content: Oid) -> Iterator[tuple[str, int]]:
        """Yield the hooks that there are with their modes; what is committed comes last."""
        for name in names:
            try:
                found = (self.path / name).stat()
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(found.st_mode) and not is_idle(self.path / name):
                yield name, found.st_mode
        if self.is_own or self.inside is None:
            return
        paths = [self.command(name).removeprefix("./") for name in names]
        listed = self.tree.git.run("ls-tree", "-z", "--full-tree", content, "--", *paths)
        for line in listed.text.split("\0"):
            entry, tab, path = line.partition("\t")
            if tab and entry.startswith("100"):
                yield path.rpartition("/")[2], int(entry.split(" ")[0], 8)
