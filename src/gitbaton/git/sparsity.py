"""What a sparse checkout leaves out of a working tree: git-sparse-checkout(1)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from gitbaton.git.entries import Entry
from gitbaton.git.indexfile import encode_index
from gitbaton.git.privateindex import SIMPLE
from gitbaton.git.sharedindex import read_staged
from gitbaton.git.workingtree import WorkingTree


def find_left_out(
    tree: WorkingTree, entries: Mapping[bytes, Entry], *, directory: Path
) -> frozenset[bytes]:
    """Return the paths among ``entries`` that the patterns of ``tree`` leave out.

    Git itself decides (``check-rules`` came with 2.41): it brings an index of nothing but
    ``entries`` in line with the patterns, beside a working tree with nothing in it. Never beside
    the real one: in cone mode it removes whole directories there, ignored files and all.
    ``directory``: where both are made. Raises GitFailed.
    """
    if not entries:
        return frozenset()
    scratch = directory / f"sparse-{os.getpid()}-{os.urandom(4).hex()}"
    empty, index = scratch / "empty", scratch / "index"
    empty.mkdir(parents=True)
    try:
        index.write_bytes(encode_index(entries, tree.format))
        env = {
            **tree.git.env,
            "GIT_DIR": os.fspath(tree.git_dir),
            "GIT_WORK_TREE": os.fspath(empty),
            "GIT_INDEX_FILE": os.fspath(index),
        }
        options = (*tree.git.options, *SIMPLE)
        aside = replace(tree, git=replace(tree.git, directory=empty, env=env, options=options))
        aside.git.run("sparse-checkout", "reapply")
        staged = read_staged(aside, list(entries))
    finally:
        import shutil  # only what follows others pays for it

        shutil.rmtree(scratch, ignore_errors=True)
    return frozenset(path for path, found in staged.items() if found.skipped)
