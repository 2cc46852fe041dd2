"""The world at one commit: its record and configuration, and documents when they are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.frames.frame import (
    Frame,
    World,
    decode_frame,
    decode_world,
    find_agents,
)
from gitbaton.frames.names import RECORD, WORLD, document_fault
from gitbaton.frames.slices import Slice, deal
from gitbaton.git.objects import decode_commit
from gitbaton.git.objectstore import MissingObject, ObjectStore
from gitbaton.git.trees import walk_files

_MANY = 16  # documents; a process answers fewer before the trees are read


@dataclass(frozen=True)
class Scene:
    """One state of the world. It stays what it is, whatever the branch does."""

    commit: Oid
    tree: Oid
    frame: Frame
    config: World
    objects: ObjectStore = field(repr=False, compare=False)

    @property
    def number(self) -> int:
        """The number of the frame."""
        return self.frame.number

    def read(self, name: str) -> bytes | None:
        """Return a document, None where there is none of that name."""
        if document_fault(name) is not None:
            return None
        (found,) = self.objects.find_many([f"{self.tree}:{name}"])
        return found[1] if found is not None and found[0] == "blob" else None

    def read_many(self, names: Collection[str]) -> dict[str, bytes]:
        """Return those of the documents ``names`` that are there, in one conversation with git.

        Git finds a path by reading the trees above it, each time anew: for many it is done here.
        """
        if len(names) < _MANY:
            return {name: body for name in names if (body := self.read(name)) is not None}
        files = dict(walk_files(self.objects, self.tree))
        there = [name for name in names if name in files]
        bodies = self.objects.read_many([files[name] for name in there])
        return {name: body for name, (_, body) in zip(there, bodies, strict=True)}

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """The names of the world's agents; none where they cannot be read (``fault`` says why)."""
        return self._agents if isinstance(self._agents, tuple) else ()

    @property
    def fault(self) -> str | None:
        """Why there are no agents to be read, None where there are.

        An op may have broken their document. Then the world stands still until somebody mends it.
        """
        return self._agents if isinstance(self._agents, str) else None

    @cached_property
    def slices(self) -> dict[str, Slice]:
        """Who runs which agents in this frame: the same for everybody."""
        return deal(self.agents, self.frame.roster, self.config.assigned)

    @cached_property
    def engaged(self) -> frozenset[str]:
        """The workers that have agents in this frame."""
        return frozenset(worker for worker, streams in self.slices.items() if any(streams))

    @cached_property
    def _agents(self) -> tuple[str, ...] | str:
        try:
            return find_agents(self.config, self.read(self.config.agents.doc))
        except DamagedRecord as error:
            return error.message


def read_scene(objects: ObjectStore, commit: Oid) -> Scene:
    """Return the world at ``commit``.

    Raises MissingObject where the commit is not here, DamagedRecord or InvalidInput where it holds
    no world.
    """
    head, record, config = objects.find_many([commit, f"{commit}:{RECORD}", f"{commit}:{WORLD}"])
    if head is None:
        raise MissingObject(commit)
    if record is None:
        raise DamagedRecord(f"commit {commit} has no {RECORD}", next="baton frame init")
    return Scene(
        commit,
        decode_commit(head[1]).tree,
        decode_frame(record[1]),
        decode_world(config[1]) if config is not None else World(),
        objects,
    )
