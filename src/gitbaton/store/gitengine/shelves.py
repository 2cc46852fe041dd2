"""The parked records of the board, read shard by shard and only as far as somebody asks.

The board's trees are an index already: ``tasks/<shard>/<name>.json`` is found by its path, and
two tips differ only where the ids of their shard trees differ. So a single record costs one
object, and all of them cost what has changed since they were last read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.git.objects import make_object
from gitbaton.git.objectstore import MissingObject, ObjectStore
from gitbaton.store.gitengine.cards import Card, Unreadable, read_card
from gitbaton.store.gitengine.index import CardIndex
from gitbaton.store.gitengine.layout import escape, parked_path, shard, unescape

_ENTRY: Final = {
    "sha1": re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL),
    "sha256": re.compile(rb"([0-7]+) ([^\0]+)\0(.{32})", re.DOTALL),
}
_FILES: Final = frozenset({b"100644", b"100755", b"100664", b"120000"})
_SUFFIX: Final = ".json"
_SHARDS: Final = 256
_SLICE: Final = 1000  # blobs asked for at once: other threads want to read too
_WORTH_KEEPING: Final = 16  # cards of one shard that the index lacked

Files: TypeAlias = Mapping[str, Card | Unreadable]
"""The cards of a shard by file name."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """All cards of one shard at one tree: the readable ones by name, and why others are not."""

    part: str
    tree: Oid
    files: Files
    cards: Mapping[str, Card]
    unreadable: Mapping[str, str]


class Library:
    """Reads shelves, and keeps the newest of each shard for those that come after it.

    Thread-safe without a lock: what two threads read at once is the same.
    """

    def __init__(self, objects: ObjectStore, collection: str, index: CardIndex) -> None:
        self._objects = objects
        self._collection = collection
        self._index = index
        self._entry = _ENTRY[objects.format]
        self._shelves: dict[str, Shelf] = {}
        self._singles: dict[str, tuple[Oid, dict[str, Card | Unreadable | None]]] = {}

    def find(
        self, shards: Mapping[str, Oid], names: Iterable[str]
    ) -> dict[str, Card | Unreadable | None]:
        """Return the card of each of ``names`` in the shard trees ``shards``; None: not there.

        What is not known yet is asked for by path, in one conversation.
        """
        found: dict[str, Card | Unreadable | None] = {}
        asked: list[tuple[str, str, str]] = []
        for name in names:
            part = shard(name)
            tree = shards.get(part)
            shelf = self._shelves.get(part)
            if tree is None:
                found[name] = None
            elif shelf is not None and shelf.tree == tree:
                found[name] = shelf.files.get(f"{escape(name)}{_SUFFIX}")
            else:
                known = self._known(part, tree)
                if name in known:
                    found[name] = known[name]
                else:
                    asked.append((name, part, f"{tree}:{escape(name)}{_SUFFIX}"))
        bodies = self._objects.find_many([path for _, _, path in asked])
        for (name, part, _), body in zip(asked, bodies, strict=True):
            card = None
            if body is not None and body[0] == "blob":
                blob = make_object("blob", body[1], self._objects.format).oid
                card = read_card(self._collection, name, blob, body[1])
            found[name] = self._known(part, shards[part])[name] = card
        return found

    def shelves(self, shards: Mapping[str, Oid]) -> list[Shelf]:
        """Return the whole shelves of the shard trees ``shards``."""
        whole = {
            part: shelf
            for part, tree in shards.items()
            if (shelf := self._shelves.get(part)) is not None and shelf.tree == tree
        }
        read = self._read({part: tree for part, tree in shards.items() if part not in whole})
        self._shelves.update(read)
        for part in read:
            self._singles.pop(part, None)
        return [*whole.values(), *read.values()]

    def _known(self, part: str, tree: Oid) -> dict[str, Card | Unreadable | None]:
        kept = self._singles.get(part)
        if kept is None or kept[0] != tree:
            kept = self._singles[part] = (tree, {})
        return kept[1]

    def _read(self, stale: Mapping[str, Oid]) -> dict[str, Shelf]:
        try:
            bodies = self._objects.read_many(list(stale.values()))
        except MissingObject:
            self._objects.gap.note()  # the next look fetches it
            raise
        drafts = [
            self._draft(part, tree, body)
            for (part, tree), (_, body) in zip(stale.items(), bodies, strict=True)
        ]
        lacking = [(draft, file) for draft in drafts for file in draft.lacking]
        for start in range(0, len(lacking), _SLICE):
            part = lacking[start : start + _SLICE]
            found = self._objects.find_many([draft.lacking[file] for draft, file in part])
            if None in found:
                self._objects.gap.note()
            for (draft, file), blob in zip(part, found, strict=True):
                draft.files[file] = read_card(
                    self._collection,
                    _name(file),
                    draft.lacking[file],
                    blob[1] if blob is not None and blob[0] == "blob" else b"",
                )
        for draft in drafts:
            if len(draft.lacking) >= _WORTH_KEEPING:
                self._index.save(draft.part, draft.readable)
        return {draft.part: draft.finish() for draft in drafts}

    def _draft(self, part: str, tree: Oid, body: bytes) -> _Draft:
        """Return the shelf of ``tree`` with all cards that are known here, and what it lacks."""
        draft = _Draft(part, tree)
        listed = {
            raw.decode("latin-1"): Oid(digest.hex())
            for mode, raw, digest in self._entry.findall(body)
            if mode in _FILES
        }
        before = self._shelves.get(part)
        new = draft.take(listed, before.files if before is not None else {})
        if len(new) >= _WORTH_KEEPING:
            new = draft.take(new, self._index.load(part))
        draft.lacking = {file: oid for file, oid in new.items() if is_parked_file(part, file)}
        return draft


@dataclass(slots=True)
class _Draft:
    part: str
    tree: Oid
    files: dict[str, Card | Unreadable] = field(default_factory=dict)
    lacking: dict[str, Oid] = field(default_factory=dict)

    def take(self, listed: Mapping[str, Oid], known: Files) -> Mapping[str, Oid]:
        """Take the cards of the ``listed`` files that are ``known``; return the other files."""
        others: dict[str, Oid] = {}
        for file, blob in listed.items():
            card = known.get(file)
            if card is not None and card.blob == blob:
                self.files[file] = card
            else:
                others[file] = blob
        return others

    @property
    def readable(self) -> Mapping[str, Card]:
        """The cards by file name, without those that cannot be read."""
        return {file: card for file, card in self.files.items() if isinstance(card, Card)}

    def finish(self) -> Shelf:
        cards: dict[str, Card] = {}
        unreadable: dict[str, str] = {}
        for file, card in self.files.items():
            if isinstance(card, Card):
                cards[_name(file)] = card
            else:
                unreadable[_name(file)] = card.reason
        return Shelf(self.part, self.tree, self.files, cards, unreadable)


class Parked:
    """The parked records of one board. It stays what it is while the board moves on (I6)."""

    def __init__(self, library: Library | None = None, shards: Mapping[str, Oid] = {}) -> None:
        self._library = library
        self._shards = shards
        self._shelves: list[Shelf] | None = None

    def __bool__(self) -> bool:
        return bool(self._shards)

    @property
    def is_short(self) -> bool:
        """Whether there may be few, as far as can be told without reading anything.

        Names are spread evenly over 256 shards: below a thousand, some shard has none.
        """
        return len(self._shards) < _SHARDS

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Card | Unreadable | None:
        """Return the card of ``name``, None if it is not parked. Reads one object at most."""
        return self.find([name])[name]

    def find(self, names: Iterable[str]) -> dict[str, Card | Unreadable | None]:
        """Return the card of each of ``names``, None for those that are not parked."""
        if self._library is None or not self._shards:
            return dict.fromkeys(names)
        return self._library.find(self._shards, names)

    def shelves(self) -> list[Shelf]:
        """Return all that is parked, read as far as it is not known yet."""
        if self._shelves is None:
            library = self._library
            self._shelves = library.shelves(self._shards) if library is not None else []
        return self._shelves

    def cards(self) -> Iterator[tuple[str, Card]]:
        """Yield the name and card of every record that is parked."""
        for shelf in self.shelves():
            yield from shelf.cards.items()

    @property
    def is_read(self) -> bool:
        """Whether all that is parked was read."""
        return self._shelves is not None

    def differences(self, other: Parked) -> set[str]:
        """Return the names whose files are not the same. Costs the shards that differ."""
        mine = {shelf.part: shelf for shelf in self.shelves()}
        theirs = {shelf.part: shelf for shelf in other.shelves()}
        names: set[str] = set()
        for part in mine.keys() | theirs.keys():
            one, two = mine.get(part), theirs.get(part)
            if one is None or two is None or one.tree != two.tree:
                names |= {_name(file) for file, _ in _files(one) ^ _files(two)}
        return names

    def count(self) -> int:
        """Return how many records are parked."""
        return sum(len(shelf.cards) for shelf in self.shelves())


def is_parked_file(part: str, file: str) -> bool:
    """Tell whether ``tasks/<part>/<file>`` is where some record is parked."""
    name = unescape(file.removesuffix(_SUFFIX)) if file.endswith(_SUFFIX) else None
    return name is not None and parked_path(name) == f"tasks/{part}/{file}"


def _files(shelf: Shelf | None) -> set[tuple[str, Oid]]:
    return set() if shelf is None else {(file, card.blob) for file, card in shelf.files.items()}


def _name(file: str) -> str:
    """Return the name of a record whose file this is: of most it is plain to see."""
    plain = file[: -len(_SUFFIX)]
    if "%" not in plain:
        return plain
    name = unescape(plain)
    assert name is not None, "only the files of records are kept"
    return name
