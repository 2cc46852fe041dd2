"""The process that objects are read through may end at any time (I4)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import GitFailed
from gitbaton.git.objects import make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.runner import Git

# A git that ends as often as there are files `end.*`, before it answers.
_WEAK = """\
#!/bin/sh
for end in '{place}'/end.*; do
  [ -e "$end" ] && read -r name && rm "$end" && exit 128
done
exec {git} "$@"
"""


def make_store(place: Path, ends: int) -> ObjectStore:
    """Return the store of a new repository, on a git that ends that often."""
    repository = place / "repository.git"
    subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
    for number in range(ends):
        (place / f"end.{number}").touch()
    weak = place / "git"
    weak.write_text(_WEAK.format(place=place, git=shutil.which("git")))
    weak.chmod(0o755)
    git = Git(place, os.environ, (f"--git-dir={repository}",), binary=str(weak))
    return ObjectStore(git, repository, "sha1")


@pytest.mark.parametrize("ends", [0, 1, 2])
def test_objects_are_asked_for_again_when_git_ends(ends: int, tmp_path: Path) -> None:
    store = make_store(tmp_path, ends)
    blobs = [make_object("blob", text, "sha1") for text in (b"one", b"two")]
    store.write(blobs)
    try:
        assert store.read_many([b.oid for b in blobs]) == [("blob", b"one"), ("blob", b"two")]
    finally:
        store.close()


def test_a_git_that_always_ends_is_an_error(tmp_path: Path) -> None:
    store = make_store(tmp_path, 9)
    with pytest.raises(GitFailed, match="ended"):
        store.read("f" * 40)
