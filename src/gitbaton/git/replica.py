"""A repository that looks like another one and is not: for programs that may do anything to it.

It has the original's branch, refs, settings and objects as they are at one moment. What is written
to it stays in it: its refs are copies, its objects are its own with the original's as alternates
(gitrepository-layout(5)), so that no ``gc`` here ever removes an object there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.git.repository import ORIGINAL
from gitbaton.git.runner import Git
from gitbaton.git.setting import format_setting
from gitbaton.git.workingtree import WorkingTree
from gitbaton.git.worktrees import erase

# Of the original's own settings, what says how *it* is stored and watched, or would weaken the
# comparison of files by their stat data.
_STORAGE: Final = re.compile(
    r"core\.(bare|worktree|repositoryformatversion|logallrefupdates|fsmonitor.*|untrackedcache"
    r"|splitindex|trustctime|checkstat)"
    r"|(extensions|gc|maintenance|include|includeif|index|feature)\..*"
)
_EXTENSIONS: Final = ("extensions.objectformat", "extensions.partialclone")
_OURS: Final = (
    ("core.bare", "false"),
    ("core.logAllRefUpdates", "true"),
    ("core.trustctime", "true"),
    ("core.checkStat", "default"),
    # Wherever else they are set (in the user's own settings), not here.
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.splitIndex", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
)


def write_replica(
    git_dir: Path,
    original: WorkingTree,
    *,
    head: Oid | None,
    branch: str | None,
    excluded: Iterable[str] = (),
) -> None:
    """Make ``git_dir`` a replica of ``original``'s repository; whatever was there is deleted.

    ``branch`` is the full ref that its HEAD stands on (None: detached), ``head`` the commit there
    (None: the branch is unborn). ``excluded``: more lines for ``info/exclude``. It has no index.
    Raises GitFailed, OSError.
    """
    erase(git_dir)
    for place in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (git_dir / place).mkdir(parents=True)
    (git_dir / "objects" / "info" / "alternates").write_bytes(
        os.fsencode(original.common / "objects") + b"\n"
    )
    (git_dir / ORIGINAL).write_bytes(os.fsencode(original.top))
    _copy_settings(git_dir, original)
    _copy_refs(git_dir, original)
    _copy_borders(git_dir, original, excluded)
    if branch is None:
        (git_dir / "HEAD").write_text(f"{head}\n")
        return
    (git_dir / "HEAD").write_bytes(os.fsencode(f"ref: {branch}\n"))
    if head is not None:
        _write_ref(git_dir, branch, head)


def replica_git(git_dir: Path, files: Path, env: Mapping[str, str]) -> Git:
    """Return git for the replica at ``git_dir`` with its working files at ``files``."""
    places = (f"--git-dir={git_dir}", f"--work-tree={files}")
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "submodule.recurse=false")
    return Git(files, env, (*places, *quiet))


def _copy_settings(git_dir: Path, original: WorkingTree) -> None:
    listed = original.git.run("config", "--list", "-z", "--show-scope")
    settings = list(_local(listed.text))
    extended = [(name, value) for name, value in settings if name in _EXTENSIONS]
    lines = [format_setting("core.repositoryformatversion", "1" if extended else "0")]
    lines += [format_setting(name, value) for name, value in extended]
    lines += [format_setting(n, v) for n, v in settings if not _STORAGE.fullmatch(n)]
    lines += [format_setting(name, value) for name, value in _OURS]
    config = git_dir / "config"
    # May hold credentials (http.extraHeader), as the original does.
    handle = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.fsencode("".join(lines)))


def _local(listed: str) -> Iterator[tuple[str, str | None]]:
    """Yield the settings of the repository itself, from ``git config --list -z --show-scope``."""
    words = listed.split("\0")
    for scope, setting in zip(words[::2], words[1::2], strict=False):
        if scope in ("local", "worktree"):
            name, newline, value = setting.partition("\n")
            yield name, value if newline else None


def _copy_refs(git_dir: Path, original: WorkingTree) -> None:
    listed = original.git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)")
    packed = ["# pack-refs with: sorted \n"]
    for line in listed.text.split("\n"):
        oid, _, names = line.partition(" ")
        ref, _, target = names.partition(" ")
        if target:  # such as refs/remotes/origin/HEAD: where it leads is a question of its own
            _write_ref(git_dir, ref, f"ref: {target}")
        elif ref:
            packed.append(f"{oid} {ref}\n")
    (git_dir / "packed-refs").write_bytes(os.fsencode("".join(packed)))


def _write_ref(git_dir: Path, ref: str, content: str) -> None:
    path = git_dir / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.fsencode(f"{content}\n"))


def _copy_borders(git_dir: Path, original: WorkingTree, excluded: Iterable[str]) -> None:
    """Copy what bounds history, the files of interest, and LFS's store by a link."""
    for source, name in (
        (original.common, "shallow"),
        (original.common, "info/attributes"),
        (original.common, "info/exclude"),
        (original.git_dir, "info/sparse-checkout"),
    ):
        if (source / name).is_file():
            shutil.copyfile(source / name, git_dir / name)
    with (git_dir / "info" / "exclude").open("ab") as file:
        file.write(b"\n" + b"".join(os.fsencode(line) + b"\n" for line in excluded))
    if (original.common / "lfs").is_dir():
        (git_dir / "lfs").symlink_to(original.common / "lfs")
