"""The first frame of a world: made once, and found there by everybody after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitbaton.core.errors import (
    DamagedRecord,
    HostRefused,
    InvalidInput,
    Refused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.frames.canonical import decode_document, encode_document
from gitbaton.frames.frame import World, decode_world, encode_frame, encode_world, first_frame
from gitbaton.frames.names import RECORD, RESERVED, WORLD, document_name
from gitbaton.frames.rules import RuleTable
from gitbaton.frames.stage import Stage
from gitbaton.git.objects import Commit, Person, encode_commit, make_object
from gitbaton.git.remote import PushState, RefUpdate
from gitbaton.git.trees import edit_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a new world begins with. ``documents``: file name -> JSON."""

    config: World
    documents: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Founded:
    """The world that is there now. ``made``: by this call; else it was there before."""

    frame: int
    commit: Oid
    branch: str
    made: bool


def found(stage: Stage, founding: Founding, person: tuple[str, str]) -> Founded:
    """Publish frame 0, unless there is a world already. Safe to repeat.

    Raises InvalidInput for a bad document or configuration, HostRefused, RemoteUnreachable.
    """
    there = _find(stage)
    if there is not None:
        return there
    files = _files(founding)
    objects = stage.repository.objects
    blobs = {name: make_object("blob", body, objects.format) for name, body in files.items()}
    tree, trees = edit_tree(objects, None, {name: blob.oid for name, blob in blobs.items()})
    author = Person(*person, int(stage.clock.now().timestamp()))
    message = f"frame 0: a world of {len(founding.documents)} documents\n\nBaton-Frame: 0"
    commit = make_object("commit", encode_commit(Commit(tree, (), author, message)), objects.format)
    objects.write([*blobs.values(), *trees, commit])
    ref = stage.refs.world
    result = stage.remote.push([RefUpdate(ref, None, commit.oid)], atomic=False)[ref]
    if result.state is PushState.DONE:
        return Founded(0, commit.oid, stage.refs.branch, made=True)
    there = _find(stage)  # somebody was faster, or the answer was lost
    if there is not None:
        return there
    if result.state is PushState.REFUSED:
        raise HostRefused(result.reason, ref=ref)
    raise RemoteUnreachable(f"{ref}: {result.reason}", next=stage.refs.command("init"))


def _find(stage: Stage) -> Founded | None:
    try:
        scene = stage.look().scene
    except Refused as error:
        if error.code == "no_world":
            return None
        raise
    return Founded(scene.number, scene.commit, stage.refs.branch, made=False)


def _files(founding: Founding) -> dict[str, bytes]:
    RuleTable(founding.config.rules)  # says which rule is wrong
    config = encode_world(founding.config)
    decode_world(config)
    files = {RECORD: encode_frame(first_frame()), WORLD: config}
    for name, body in founding.documents.items():
        document_name(name)
        if name in RESERVED:
            raise InvalidInput("documents", f"{name} is kept by the frames themselves")
        try:
            files[name] = encode_document(decode_document(name, body))
        except DamagedRecord as error:
            raise InvalidInput("documents", error.message) from error
    return files
