"""I8: what others push stays data, whatever their trees are made to hold."""

from __future__ import annotations

import os
import subprocess

import pytest

from gitbaton.core.errors import Refused
from tests.integration.workspace.integration.clones import Clones, Tree, bytes_of

HOOK = "#!/bin/sh\ntouch owned\n"


def push_tree(tree: Tree, *entries: tuple[str, str, str]) -> str:
    """Push a commit whose tree has ``entries`` (mode, path, content) besides what is there.

    Made object by object: no index would take these names.
    """
    made: dict[str, dict[str, tuple[str, str]]] = {"": {}}
    for line in tree.git("ls-tree", "HEAD").split("\n"):
        head, _, name = line.partition("\t")
        if not name.startswith('"'):
            mode, _, oid = head.split(" ")
            made[""][name] = (mode, oid)
    for mode, path, content in entries:
        top, _, name = path.rpartition("/")
        oid = write(tree, "blob", content.encode())
        made.setdefault(top, {})[name] = (mode, oid)
    while tops := sorted(filter(None, made), key=len):
        above, _, name = tops[-1].rpartition("/")
        # Beside a file or a link of the same name, as no sound tree has it.
        oid = write_tree(tree, made.pop(tops[-1]))
        made.setdefault(above, {})["\0" + name] = ("40000", oid)
    commit = tree.git("commit-tree", "-p", "HEAD", "-m", "hostile", write_tree(tree, made[""]))
    tree.git("push", "-q", "origin", f"{commit}:main")
    return commit


def write(tree: Tree, kind: str, body: bytes) -> str:
    words = ["git", "hash-object", "-w", "--literally", "-t", kind, "--stdin"]
    done = subprocess.run(words, cwd=tree.top, input=body, capture_output=True, check=True)
    return done.stdout.decode().strip()


def write_tree(tree: Tree, entries: dict[str, tuple[str, str]]) -> str:
    body = b"".join(
        f"{mode} ".encode() + os.fsencode(name.removeprefix("\0")) + b"\0" + bytes.fromhex(oid)
        for name, (mode, oid) in entries.items()
    )
    return write(tree, "tree", body)


PATHS = [
    ".git/hooks/post-commit",
    "sub/.git/config",
    ".GIT/x",
    "git~1/x",
    ".g\u200cit/x",
    "../owned",
]


@pytest.mark.parametrize(
    ("path", "publish"), [*((path, False) for path in PATHS), (PATHS[0], True)]
)
def test_a_path_that_git_refuses_moves_nothing(clones: Clones, path: str, publish: bool) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    commit = push_tree(theirs, ("100755", path, HOOK), ("100644", "a", "up\n"))
    if publish:
        ours.commit("own", own="own\n")
    before, files = ours.git("rev-parse", "HEAD"), bytes_of(ours.top)
    with pytest.raises(Refused) as refused:
        ours.sync(publish=publish)
    assert refused.value.code == "unsafe_path"
    assert commit[:10] in refused.value.message and path.rpartition("/")[2] in refused.value.message
    assert refused.value.next is not None and "baton sync" in refused.value.next
    assert (ours.git("rev-parse", "HEAD"), bytes_of(ours.top)) == (before, files)
    assert not (ours.top / path).exists()
    assert ours.git("status", "--porcelain") == ""
    theirs.git("push", "-q", "--force", "origin", "HEAD:main")  # it is taken back
    ours.integration().run(publish=publish)


def test_a_link_named_as_a_directory_is_not_gone_through(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    push_tree(theirs, ("120000", "d", ".git/hooks"), ("100755", "d/post-commit", HOOK))
    with pytest.raises(Refused, match="d/post-commit"):
        ours.sync()
    assert not (ours.top / "d").is_symlink()
    assert not (ours.top / ".git/hooks/post-commit").exists()


def test_a_link_that_becomes_a_directory_is_not_gone_through(clones: Clones) -> None:
    """Allowed by git, in two commits; and somebody here holds on to the link."""
    theirs = clones("theirs")
    (theirs.top / "way").symlink_to(".git/hooks")
    theirs.git("add", "way")
    theirs.git("commit", "-q", "-m", "link")
    theirs.git("push", "-q")
    follows, holds = clones("follows"), clones("holds")
    (holds.top / "way").unlink()
    (holds.top / "way").symlink_to(".git/hooks/.")
    theirs.git("rm", "-q", "way")
    theirs.commit("directory", **{"way/post-commit": HOOK})
    theirs.git("push", "-q")
    for tree in (follows, holds):
        tree.sync()
        assert not (tree.top / ".git/hooks/post-commit").exists()
    assert follows.read("way/post-commit") == HOOK
    assert os.readlink(holds.top / "way") == ".git/hooks/."


def test_gitmodules_is_taken_for_no_link(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    push_tree(theirs, ("120000", ".gitmodules", ".git/config"))
    with pytest.raises(Refused, match="gitmodules"):
        ours.sync()
