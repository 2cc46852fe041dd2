"""Looks at the remote: list, fetch what is new, decode, and look again when it is torn."""

from __future__ import annotations

import random
import shlex
import threading
from collections.abc import Mapping, Sequence

from gitbaton.core.clock import Clock
from gitbaton.core.errors import (
    DamagedRecord,
    GitFailed,
    Refused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.git.failures import RepositoryDamaged
from gitbaton.git.objects import decode_commit
from gitbaton.git.objectstore import MissingObject
from gitbaton.git.remote import Listing, Remote, fetch_whole
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.assembling import assemble
from gitbaton.store.gitengine.board import Board, read_board
from gitbaton.store.gitengine.cards import decode_card
from gitbaton.store.gitengine.envelope import (
    Envelope,
    companion_path,
    decode_envelope,
    record_path,
)
from gitbaton.store.gitengine.index import CardIndex
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.mending import Mender, is_partial
from gitbaton.store.gitengine.shelves import Library
from gitbaton.store.gitengine.state import Held, State
from gitbaton.store.model import Key

_NOT_REWOUND = "not rewound"
_LOOKS = 8  # listings before a state that stays torn is taken as it is
_CACHED = 20_000  # decoded versions and live marks kept; each is some kilobytes
_NEAR = 8  # board commits that are looked through here before git is asked


class Reader:
    """Reads the state of one remote. Thread-safe; decoded objects are cached by their id."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        layout: Layout,
        collection: str,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._repository = repository
        self._objects = repository.objects
        self._remote = remote
        self._layout = layout
        self._collection = collection
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()
        self._envelopes: dict[Oid, Envelope | str] = {}  # a version, or why it is none
        self._marks: dict[Oid, tuple[Oid, Envelope] | str] = {}  # live marks, by blob
        self._library = Library(
            repository.objects, collection, CardIndex(repository.path / "index")
        )
        self._board = Board()
        self._rewound: Oid | str | None = _NOT_REWOUND
        self._mender = Mender(repository.objects, remote, layout, clock)

    def look(self, extra: Sequence[str] = ()) -> State:
        """Return the present state, with the values of the refs ``extra`` in ``State.refs``.

        A listing that shows half a transaction is repeated; what stays torn is on the remote
        itself (a server was killed half way) and is returned completed as far as it can be.
        Raises RemoteUnreachable, HostRefused.
        """
        before: frozenset[str] = frozenset()
        for turn in range(_LOOKS):
            if turn:
                self._clock.sleep(self._rng.uniform(0.0, 0.02 * 2**turn))
            asked = self._clock.elapsed()
            listing = self._remote.list([self._layout.namespace, self._layout.board, *extra])
            answered = self._clock.elapsed()
            state = self._read(listing, asked, answered)
            if state is None:  # an object was gone before we could fetch it
                continue
            if state.torn <= before:
                # Whole, or torn in the very same way twice: then it is the remote itself.
                return state
            before = state.torn
        self._refuse_rewound()
        raise RemoteUnreachable(
            f"{self._remote.url} changed faster than it could be read", next="try again"
        )

    def envelope(self, version: Oid) -> Envelope | None:
        """Return the envelope of ``version`` if it is known here, without asking the remote."""
        cached = self._envelopes.get(version)
        if cached is not None:
            return cached if isinstance(cached, Envelope) else None
        found = self._objects.find_many([record_path(version)])[0]
        if found is None:
            return None
        decoded = self._decode(version, found[1])
        return decoded if isinstance(decoded, Envelope) else None

    def learn(self, version: Oid, envelope: Envelope) -> None:
        """Remember a version that was just written."""
        with self._lock:
            self._envelopes[version] = envelope

    def includes(self, held: Held, seq: int, transaction: str) -> bool:
        """Tell whether the history of ``held`` has ``transaction`` as its version ``seq``.

        This is how a client recognises its own write after the server's answer was lost.
        """
        return self.written(held, seq, transaction) is not None

    def written(self, held: Held, seq: int, transaction: str) -> Oid | None:
        """Return version ``seq`` in the history of ``held`` if ``transaction`` wrote it."""
        version, current = held.version, held.envelope
        while current.seq > seq and current.after:
            version = Oid(current.after)
            before = self.envelope(version)
            if before is None:
                return None
            current = before
        return version if (current.seq, current.transaction) == (seq, transaction) else None

    def mark(self, name: str, blob: Oid | None) -> Envelope | None:
        """Return the envelope that the live mark ``blob`` shows, None where it shows none."""
        if blob is None:
            return None
        try:
            return self._decode_mark(name, blob)[1]
        except DamagedRecord:
            return None

    def board_includes(self, state: State, commit: Oid) -> bool:
        """Tell whether ``commit`` is the board's tip or among its ancestors."""
        tip = state.board.tip
        return tip is not None and self._repository.is_ancestor(commit, tip)

    def branch_includes(self, state: State, ref: str, commit: Oid) -> bool:
        """Tell whether the branch that a look showed has ``commit``; fetches it if it must."""
        tip = state.refs.get(ref)
        if tip is None:
            return False
        if self._objects.missing([tip]):
            self._remote.fetch({ref: tip})
        return self._repository.is_ancestor(commit, tip)

    def _read(self, listing: Listing, asked: float, answered: float) -> State | None:
        """Return the state, after a whole fetch where something is here in part only."""
        if self._mender.is_wanted:
            self._mend(listing)
        try:
            return self._state(listing, asked, answered)
        except (MissingObject, GitFailed, RepositoryDamaged):
            if not self._mender.is_ready:
                self._objects.gap.note()
                raise
            self._mend(listing)
            return self._state(listing, asked, answered)

    def _mend(self, listing: Listing) -> None:
        self._mender.mend(listing)
        with self._lock:
            self._envelopes.clear()
            self._marks.clear()

    def _state(self, listing: Listing, asked: float, answered: float) -> State | None:
        refs = {r: o for r, o in listing.refs.items() if r.startswith(self._layout.namespace)}
        keyed = {ref: self._layout.key(ref) for ref in refs}
        tip = listing.refs.get(self._layout.board)
        wanted = self._unknown(refs, keyed, tip)
        if wanted:  # not under the lock: a fetch may take long, and heartbeats must not wait
            self._fetch(wanted)
            if self._objects.missing(wanted.values()):
                return None
        with self._lock:
            live, damaged = self._decode_live(refs, keyed)
            board = self._read_board(tip)
            if board is None:
                return None
            self._trim()
            return assemble(
                self._collection,
                board,
                live,
                listing.refs,
                damaged,
                decode=self._decode_mark,
                complete=self._complete,
                asked=asked,
                answered=answered,
            )

    def _fetch(self, wanted: Mapping[str, Oid]) -> None:
        """Bring ``wanted``, built on the board that was read last."""
        base = self._board.tip or self._repository.remembered("board")
        have = [base] if base is not None else []
        # Of what a partial clone seems to have, much is missing.
        if self._repository.is_partial:
            fetch_whole(self._remote, wanted, have=have)
        else:
            self._remote.fetch(wanted, have=have)

    def _unknown(
        self, refs: Mapping[str, Oid], keyed: Mapping[str, Key | None], tip: Oid | None
    ) -> dict[str, Oid]:
        """Return the listed refs whose objects have to be fetched."""
        with self._lock:
            new = {
                ref: oid
                for ref, oid in refs.items()
                if keyed[ref] is not None and oid not in self._envelopes
            }
            wanted: dict[str, Oid] = {}
            bodies = self._objects.find_many([record_path(oid) for oid in new.values()])
            for (ref, oid), found in zip(new.items(), bodies, strict=True):
                if found is None:
                    wanted[ref] = oid
                else:
                    self._decode(oid, found[1])
            if tip is not None and not self._has_board(tip):
                wanted[self._layout.board] = tip
            return wanted

    def _has_board(self, tip: Oid) -> bool:
        """Tell whether the board at ``tip`` is here with all that it names.

        It is if we wrote or brought it, or have read it. The clone may have half of it: of a fetch
        that its owner ended, or where it fetches files only when they are read.
        """
        if tip == self._board.tip:
            return True
        if self._objects.own([tip]):
            return True
        there = self._objects.find_many([tip])[0] is not None
        return there and self._repository.remembered("board") == tip

    def _decode_live(
        self, refs: Mapping[str, Oid], keyed: Mapping[str, Key | None]
    ) -> tuple[dict[Key, tuple[Oid, Envelope]], dict[Key, str]]:
        live: dict[Key, tuple[Oid, Envelope]] = {}
        damaged: dict[Key, str] = {}
        new = [r for r, key in keyed.items() if key is not None and refs[r] not in self._envelopes]
        bodies = self._objects.find_many([record_path(refs[ref]) for ref in new])
        for ref, found in zip(new, bodies, strict=True):
            if found is None and self._mender.is_ready and is_partial(self._objects, refs[ref]):
                raise MissingObject(refs[ref])
            self._decode(refs[ref], found[1] if found else b"")
        for ref, oid in refs.items():
            key = keyed[ref]
            if key is None:
                if not self._layout.is_reserved(ref):
                    damaged[Key(ref)] = "no record of gitbaton has this ref name"
                continue
            decoded = self._envelopes[oid]
            if isinstance(decoded, str):
                damaged[key] = f"{key}: {decoded}"
            elif decoded.key != key:
                damaged[key] = f"{key}: key: this record belongs under {decoded.key!r}"
            else:
                live[key] = (oid, decoded)
        return live, damaged

    def _decode(self, oid: Oid, body: bytes) -> Envelope | str:
        # Not under the key of the ref that led here: another ref may name the same commit.
        try:
            found: Envelope | str = decode_envelope(None, body)
        except DamagedRecord as error:
            found = error.message
        self._envelopes[oid] = found
        return found

    def _decode_mark(self, name: str, blob: Oid) -> tuple[Oid, Envelope]:
        known = self._marks.get(blob)
        if known is None:
            (found,) = self._objects.find_many([blob])
            known = self._marks[blob] = self._read_mark(name, found[1] if found else b"")
        if isinstance(known, str):
            raise DamagedRecord(known)
        return known

    def _read_mark(self, name: str, body: bytes) -> tuple[Oid, Envelope] | str:
        try:
            return decode_card(self._collection, name, body)
        except DamagedRecord as error:
            return error.message

    def _read_board(self, tip: Oid | None) -> Board | None:
        """Return the board at ``tip``; None when we have seen a later one (look again)."""
        if tip == self._board.tip and (tip is not None or self._follows(self._board)):
            return self._board
        board = read_board(self._objects, self._library, tip)
        if not self._follows(board):
            self._rewound = tip
            return None
        new = [(name, blob) for name, blob in board.live.items() if blob not in self._marks]
        bodies = self._objects.find_many([blob for _, blob in new])
        for (name, blob), found in zip(new, bodies, strict=True):
            if found is None and self._mender.is_ready:
                raise MissingObject(blob)
            self._marks[blob] = self._read_mark(name, found[1] if found else b"")
        self._board, self._rewound = board, _NOT_REWOUND
        if tip is not None:
            self._repository.remember("board", tip)
        return board

    def _follows(self, board: Board) -> bool:
        """Tell whether ``board`` has all that this clone has ever seen on the board.

        The board only ever grows by CAS. One that lacks what we saw was rewound or restored from
        an old copy: finished tasks would come back as pending, and their epochs again (I1).
        """
        seen = self._board.tip or self._repository.remembered("board")
        if seen is None or seen == board.tip:
            return True
        if board.tip is None:
            return False
        parents = board.parents
        for _ in range(_NEAR):
            if seen in parents:
                return True
            found = self._objects.find_many(parents[:1])
            if not found or found[0] is None:
                break
            parents = decode_commit(found[0][1]).parents
        return self._repository.is_ancestor(seen, board.tip)

    def _refuse_rewound(self) -> None:
        """Raise Refused if what kept us from reading was a board that went back."""
        if self._rewound is _NOT_REWOUND:
            return
        seen = self._board.tip or self._repository.remembered("board")
        branch = self._layout.board.removeprefix("refs/heads/")
        now = self._rewound or "deleted"
        git = f"git --git-dir={shlex.quote(str(self._repository.path))}"
        raise Refused(
            f"the board branch {branch!r} was rewound: it is {now}, and this clone has seen {seen}",
            code="board_rewound",
            next=f"{git} push {shlex.quote(self._remote.url)} {seen}:{self._layout.board} "
            f"(restores it), or {git} update-ref -d refs/seen/board (accepts what is lost)",
        )

    def _complete(self, version: Oid, key: Key) -> Envelope | None:
        found = self._objects.find_many([companion_path(version, key)])[0]
        if found is None:
            return None
        try:
            return decode_envelope(key, found[1])
        except DamagedRecord:
            return None

    def _trim(self) -> None:
        for cache in (self._envelopes, self._marks):
            if len(cache) > _CACHED:
                cache.clear()
