"""The frames so far: commits of the world branch, found by number, compared, merged again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from gitbaton.core.clock import rfc3339
from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.frames.chronicle import frame_number
from gitbaton.frames.descent import SLACK
from gitbaton.frames.edition import asides_of, make_edition
from gitbaton.frames.frame import Frame
from gitbaton.frames.names import document_fault
from gitbaton.frames.reading import read_deltas
from gitbaton.frames.refs import Pair
from gitbaton.frames.scene import Scene, read_scene
from gitbaton.frames.stage import Stage
from gitbaton.git.history import Ancestor, first_parents
from gitbaton.git.objects import decode_commit
from gitbaton.git.trees import walk_files


@dataclass(frozen=True, slots=True)
class Page:
    """One frame in history: its commit, when and by whom it was published, and its world."""

    commit: Oid
    at: str  # RFC 3339, for people
    author: str
    scene: Scene

    @property
    def frame(self) -> Frame:
        """The record of the frame."""
        return self.scene.frame


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that differs between two frames. None: there is none."""

    name: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Replay:
    """A merge that was made again. ``differences``: files that came out otherwise; none: proved."""

    frame: int
    deltas: int
    ops: int
    differences: tuple[str, ...]


class History:
    """What the world branch remembers. Asks the remote for what is not here."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._objects = stage.repository.objects

    def log(self, *, limit: int | None = None) -> list[Page]:
        """Return the frames, newest first; at most ``limit``, or as many as the world keeps.

        Raises Refused where there is no world, RemoteUnreachable.
        """
        tip = self._stage.look().scene
        wanted = limit or tip.config.keep or None
        editions = list(islice(self._editions(tip.commit), limit))
        whole = len(editions) if wanted is None else min(wanted, tip.number + 1)
        if self._objects.is_shallow and (wanted is None or len(editions) < whole):
            self._stage.deepen(limit + SLACK if limit else wanted)
            editions = list(islice(self._editions(tip.commit), limit))
        return [self._page(ancestor) for _, ancestor in editions]

    def at(self, number: int | None) -> Page:
        """Return frame ``number`` as it was published; None: the world as it is now.

        Raises Refused (``unknown_frame``, ``no_world``), RemoteUnreachable.
        """
        tip = self._stage.look().scene
        if number is None:
            (newest,) = first_parents(self._stage.repository, tip.commit, limit=1)
            return self._page(newest)
        page = self._find(tip, number)
        for depth in (tip.number - number + SLACK, None):
            if page is None and 0 <= number < tip.number and self._objects.is_shallow:
                self._stage.deepen(depth)
                page = self._find(tip, number)
        if page is not None:
            return page
        raise Refused(
            f"there is no frame {number}; the world is at frame {tip.number}",
            code="unknown_frame",
            next=self._stage.refs.command("log"),
        )

    def documents(self, page: Page) -> list[str]:
        """Return the names of the documents in a frame, in order."""
        return sorted(n for n in self._files(page) if document_fault(n) is None)

    def read(self, page: Page, name: str) -> bytes | None:
        """Return a document as it is in a frame, None where there is none."""
        return page.scene.read(name)

    def diff(self, before: Page, after: Page) -> list[DocumentChange]:
        """Return the documents that differ between two frames, by name."""
        old, new = self._files(before), self._files(after)
        return [
            DocumentChange(name, before.scene.read(name), after.scene.read(name))
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name) and document_fault(name) is None
        ]

    def replay(self, page: Page) -> Replay:
        """Merge the deltas of a frame again upon the frame before, and compare byte by byte.

        Raises Refused (``no_merge``) for frame 0, which was founded.
        """
        objects, frame = self._objects, page.frame
        self._stage.back_to(page.scene, frame.number - 1)  # the frame before, and what was taken
        commit = decode_commit(objects.read(page.commit)[1])
        if not commit.parents:
            raise Refused(
                "frame 0 was founded, not merged", code="no_merge", next="baton frame show 0"
            )
        pairs = [Pair(*pair) for pair in frame.merged]
        base = read_scene(objects, commit.parents[0])
        taken = list(zip(pairs, commit.parents[1:], strict=False))
        deltas = read_deltas(self._stage.repository, taken, base.config.limits)
        aside = asides_of(commit, len(pairs))
        edition = make_edition(
            base,
            deltas,
            aside,
            roster=frame.roster,
            missing=frame.missing,
            astray=frame.astray,
            failures=frame.failed_count > 0,
        )
        expected: dict[str, Oid | bytes] = {**self._tree(base.tree)}
        for name, body in edition.files.items():
            if body is None:
                expected.pop(name, None)
            else:
                expected[name] = body
        actual = self._files(page)
        different = [
            name
            for name in sorted(expected.keys() | actual.keys())
            if not self._is_same(expected.get(name), actual.get(name))
        ]
        return Replay(frame.number, len(deltas), frame.counts.ops, tuple(different))

    def _find(self, tip: Scene, number: int) -> Page | None:
        for found, ancestor in self._editions(tip.commit):
            if found == number:
                return self._page(ancestor)
        return None

    def _is_same(self, expected: Oid | bytes | None, actual: Oid | None) -> bool:
        if isinstance(expected, bytes):
            return actual is not None and self._objects.read(actual)[1] == expected
        return expected == actual

    def _editions(self, tip: Oid) -> Iterator[tuple[int, Ancestor]]:
        """Yield the commits that published a frame, newest first; others were made by hand.

        A merge that people made may have the frames behind its second parent.
        """
        frames: list[tuple[int, Ancestor]] = []
        todo, met = [tip], set[Oid]()
        while todo:
            by_hand: list[Oid] = []
            for ancestor in first_parents(self._stage.repository, todo.pop()):
                if ancestor.commit in met:
                    break
                met.add(ancestor.commit)
                number = frame_number(ancestor.subject)
                if number is None:
                    by_hand.append(ancestor.commit)
                else:
                    frames.append((number, ancestor))
            parents = self._stage.parents(by_hand)
            todo += [parent for commit in by_hand for parent in parents.get(commit, ())[1:]]
        yield from sorted(frames, key=lambda one: -one[0])

    def _page(self, ancestor: Ancestor) -> Page:
        at = rfc3339(datetime.fromtimestamp(ancestor.seconds, UTC))
        return Page(
            ancestor.commit, at, ancestor.author, read_scene(self._objects, ancestor.commit)
        )

    def _files(self, page: Page) -> dict[str, Oid]:
        return self._tree(page.scene.tree)

    def _tree(self, tree: Oid) -> dict[str, Oid]:
        return dict(walk_files(self._objects, tree))
