"""Protection: read from the remote's target branch, and never taken for absent when in doubt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import GateClosed
from gitbaton.core.ids import Oid
from gitbaton.git.plain import PlainRemote
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.memory import MemoryStore
from gitbaton.workspace.gatekeeping import make_gatekeeper
from gitbaton.workspace.protection import Protection, ProtectionReader
from tests.integration.store.place import Place, make_place

RULES = '[gates.release]\napprovers = ["boss"]\n'
SIGNERS = "boss ssh-ed25519 AAAA\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A remote with a branch ``main`` that serves partial clones."""
    made = make_place(tmp_path)
    publish(made, "readme", "hello\n")
    made.git("symbolic-ref", "HEAD", "refs/heads/main")
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return made


def publish(place: Place, path: str, text: str) -> Oid:
    (place.clone(0) / path).parent.mkdir(exist_ok=True)
    commit = place.commit_file(0, path, text)
    git(place.clone(0), "push", "-q", "origin", "main")
    return commit


def git(directory: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)


def partial_clone(place: Place, filter: str = "blob:none") -> Path:
    """Return a clone that gets objects only when it needs them."""
    path = place.root / "partial"
    url = f"file://{place.remote}"
    git(place.root, "clone", "-q", "--no-checkout", f"--filter={filter}", url, str(path))
    return path


def read(place: Place, clone: Path) -> Protection:
    repository = CoordinationRepository.open(Clone.find(clone, os.environ))
    clock = SystemClock()
    reader = ProtectionReader(
        repository,
        PlainRemote(repository.git, f"file://{place.remote}"),
        default="main",
        local=MemoryStore(clock=clock),
        clock=clock,
    )
    return reader.read(fresh=True)


def test_without_a_file_nothing_is_protected(place: Place) -> None:
    found = read(place, place.clone(1))
    assert (found.config.gates, found.allowed_signers, found.unreadable) == ({}, None, None)


@pytest.mark.parametrize("filter", ["blob:none", "tree:0"])
def test_a_partial_clone_fetches_the_rules_that_it_lacks(place: Place, filter: str) -> None:
    """I9: the commit came with a fetch of the user's, and the file did not."""
    clone = partial_clone(place, filter)
    publish(place, "baton.toml", RULES)
    publish(place, ".baton/allowed_signers", SIGNERS)
    git(clone, "fetch", "-q", "origin")
    found = read(place, clone)
    assert found.unreadable is None
    assert found.config.gates["release"].approvers == ("boss",)
    assert found.allowed_signers == SIGNERS


@pytest.mark.parametrize("path", ["baton.toml", ".baton/allowed_signers"])
def test_rules_that_cannot_be_fetched_close_every_gate(place: Place, path: str) -> None:
    """I9: a failure to read is not "there is none"."""
    clone = partial_clone(place)
    publish(place, path, RULES if path == "baton.toml" else SIGNERS)
    git(clone, "fetch", "-q", "origin")
    git(clone, "config", "remote.origin.url", str(place.root / "nowhere"))
    found = read(place, clone)
    assert found.unreadable is not None
    with pytest.raises(GateClosed, match="cannot be read"):
        make_gatekeeper("p", found).admit("release", "boss")


def test_rules_whose_object_is_lost_close_every_gate(place: Place) -> None:
    commit = publish(place, "baton.toml", RULES)
    objects = place.clone(0) / ".git" / "objects"
    shown = subprocess.run(
        ["git", "rev-parse", f"{commit}:baton.toml"],
        cwd=place.clone(0),
        check=True,
        capture_output=True,
        text=True,
    )
    blob = shown.stdout.strip()
    (objects / blob[:2] / blob[2:]).unlink()
    assert read(place, place.clone(0)).unreadable is not None


def test_a_directory_where_the_rules_should_be_closes_every_gate(place: Place) -> None:
    publish(place, "baton.toml/x", "x")
    assert read(place, place.clone(1)).unreadable is not None


def test_signers_outside_of_the_repository_close_every_gate(place: Place) -> None:
    publish(place, "baton.toml", f'{RULES}[project]\nallowed_signers = "../signers"\n')
    assert read(place, place.clone(1)).unreadable is not None


def test_a_file_that_only_begins_alike_is_another(place: Place) -> None:
    publish(place, "baton.toml.orig", RULES)
    found = read(place, place.clone(1))
    assert (found.config.gates, found.unreadable) == ({}, None)
