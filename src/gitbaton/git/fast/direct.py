"""A remote at a path whose records are moved directly; all else goes the usual way.

What is gained is the start of receive-pack and the three processes that it starts, each of which
goes through all refs: a claim on a local remote is a ref transaction and three small files. What
is given up, and why it is safe for records, is in docs/design/fast-transport.md, section 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.answers import is_ref_name
from gitbaton.git.fast.copying import copy_history
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.doorway import Doorway, Stamp, stamp_of
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.fast.transactions import RefTransactions
from gitbaton.git.fast.turns import Turns
from gitbaton.git.fast.verdict import everywhere
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, RefUpdate

_CHOICES: Final = 3  # times that a choice is made again because somebody was faster

# What people look at, and what hosts have rules for: always through receive-pack.
_PUBLIC: Final = ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/notes/", "refs/replace/")


class DirectRemote:
    """A repository at a path. Implements ``git.remote.Remote``; thread-safe.

    ``inner`` serves whatever is not a move of a single existing record, and everything when the
    door is shut.
    """

    def __init__(
        self, inner: FastRemote, doorway: Doorway, packer: Packer, *, push_timeout: float
    ) -> None:
        self._inner = inner
        self._doorway = doorway
        self._packer = packer
        self._push_timeout = push_timeout
        self._objects = ObjectStore(
            doorway.git, doorway.directory or doorway.git.directory, packer.format
        )
        self._transactions = RefTransactions(doorway.git)
        self._turns = Turns((doorway.directory or doorway.git.directory) / "refs")
        self._chose_one = False  # the last time; a single ref is seldom lost, and soon chosen again

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def supports_atomic(self) -> bool | None:
        return self._inner.supports_atomic

    @property
    def why_plain(self) -> str | None:
        """See ``FastRemote.why_plain``."""
        return self._inner.why_plain

    def list(self, prefixes: Sequence[str]) -> Listing:
        return self._inner.list(prefixes)

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """See ``git.remote.Remote``. What is new since ``have`` is copied; git fetches the rest."""
        if have and self._copy(refs):
            return
        self._inner.fetch(refs, have=have)

    def fetch_whole(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """See ``git.remote.Thorough``. A copy is whole: it ends only at what is our own."""
        if have and self._copy(refs):
            return
        self._inner.fetch_whole(refs, have=have)

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        """Move records directly, each on its own; send all else as ``FastRemote`` does."""
        if (atomic and len(updates) > 1) or not self._may_move(updates):
            return self._inner.push(updates, atomic=atomic)
        with ExitStack() as held:
            fates = self._move(updates) if self._bring(updates, held) else {}
        return self._send_rest(updates, fates)

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        """Let ``choose`` decide on the refs as they are; push what it says.

        Processes of one machine that choose several take turns. Where somebody was faster all the
        same with all of it while the objects were written, ``choose`` is asked again.
        """
        directory = self._doorway.directory
        if directory is None or not self._doorway.is_open():
            return self._inner.push_chosen(choose)
        fates: Mapping[str, RefResult] = {}
        with ExitStack() as held:
            if not self._chose_one:
                held.enter_context(self._turns.take())
            for _ in range(_CHOICES):
                fates, updates = {}, choose(RefFiles(directory))
                self._chose_one = len(updates) == 1
                if not (self._may_move(updates) and self._bring(updates, held)):
                    break
                now = RefFiles(directory)
                # Who has lost already is not sent: git ends at the first transaction that fails.
                lost = [update for update in updates if now.get(update.ref) != update.old]
                fates = everywhere(lost, PushState.STALE, "stale info")
                left = [update for update in updates if update.ref not in fates]
                if left or not updates:
                    fates = {**fates, **self._move(left)}
                    break
        return self._send_rest(updates, fates)

    def close(self) -> None:
        """End the processes and connections. A later call makes new ones."""
        self._transactions.close()
        self._objects.close()
        self._inner.close()

    def _copy(self, refs: Mapping[str, Oid]) -> bool:
        """Copy what the refs lead to, where that can be; return whether it was."""
        if not self._doorway.is_open():
            return False
        return copy_history(refs.values(), source=self._objects, target=self._packer.objects)

    def _may_move(self, updates: Sequence[RefUpdate]) -> bool:
        return all(map(_is_move_of_record, updates)) and self._doorway.is_open()

    def _bring(self, updates: Sequence[RefUpdate], held: ExitStack) -> bool:
        """Bring the objects there; return False where receive-pack had better do it.

        They stay there until ``held`` is left, even if no ref leads to them.
        """
        olds = frozenset(update.old for update in updates if update.old is not None)
        tips = [update.new for update in updates if update.new is not None]
        # What the old values have, the repository has for as long as they are compared with: a
        # ref that still has its old value has kept all of it.
        try:
            brought = self._packer.collect_small(tips, there=olds, near=olds)
            if brought is None:
                return False
            held.enter_context(self._objects.adopting(brought, self._packer.objects))
        except BatonError:  # no room, no permission: receive-pack finds the words for it
            return False
        return True

    def _move(self, updates: Sequence[RefUpdate]) -> Mapping[str, RefResult]:
        """Move the refs; leave out of the answer what was surely not done."""
        return self._transactions.move(updates, Deadline(self._push_timeout))

    def _send_rest(
        self, updates: Sequence[RefUpdate], fates: Mapping[str, RefResult]
    ) -> Mapping[str, RefResult]:
        """Return ``fates``, with those of the other ``updates`` through receive-pack.

        An error would say that nothing was done, so it is one only where that is so.
        """
        left = [update for update in updates if update.ref not in fates]
        if not left:
            return fates
        try:
            return {**fates, **self._inner.push(left, atomic=False)}
        except RemoteUnreachable as error:
            if not fates:
                raise
            return {**fates, **everywhere(left, PushState.UNSENT, error.message)}


class RefFiles(Mapping[str, Oid]):
    """The refs of a repository that keeps them in files, each read when it is asked for.

    As git's files backend reads them: the file of the ref, else its line in ``packed-refs``
    (gitrepository-layout(5)). Symbolic refs are left out. Iterating tells the packed ones only.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._packed: tuple[Stamp | None, Mapping[str, Oid]] = (None, {})

    def __getitem__(self, ref: str) -> Oid:
        if not is_ref_name(ref):
            raise KeyError(ref)
        try:
            text = (self._directory / ref).read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._read_packed()[ref]
        except (OSError, ValueError) as error:
            raise KeyError(ref) from error
        if not is_oid(text):
            raise KeyError(ref)
        return Oid(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_packed())

    def __len__(self) -> int:
        return len(self._read_packed())

    def _read_packed(self) -> Mapping[str, Oid]:
        """Return what is packed now: a ref without a file may have been packed a moment ago."""
        path = self._directory / "packed-refs"
        try:
            stamp = stamp_of(path)
            if stamp != self._packed[0]:
                text = path.read_text("utf-8", "surrogateescape")
                lines = (line.partition(" ") for line in text.split("\n"))
                self._packed = stamp, {name: Oid(oid) for oid, _, name in lines if is_oid(oid)}
        except FileNotFoundError:
            self._packed = None, {}
        return self._packed[1]


def _is_move_of_record(update: RefUpdate) -> bool:
    return (
        update.old is not None
        and update.new is not None
        and is_ref_name(update.ref)
        and not update.ref.startswith(_PUBLIC)
    )
