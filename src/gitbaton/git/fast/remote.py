"""The fast transport: one remote, spoken to directly, with plain git behind it.

What is sent when, and what each answer means, is in docs/design/fast-transport.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.answers import require_oid, require_ref_name
from gitbaton.git.failures import failure
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.link import Link
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.receive import Report
from gitbaton.git.fast.session import Session
from gitbaton.git.fast.trouble import Declined, Lost, Stranger, TookTooLong, Unfit
from gitbaton.git.fast.verdict import NO_ATOMIC, everywhere, read_report, unserved
from gitbaton.git.objects import Format
from gitbaton.git.remote import (
    Choose,
    Listing,
    PushState,
    RefResult,
    RefUpdate,
    Remote,
    fetch_whole,
)

_MOST_UPDATES = 1000
_CONFIGURED = "git is configured in a way of its own"

MakePlain = Callable[[Mapping[str, str]], Remote]
"""Returns the plain transport, with additions to git's environment."""


class FastRemote:
    """One remote, reached through a ``Link``. Implements ``git.remote.Remote``; thread-safe.

    ``make_link`` is called on first use; None: this address needs plain git. ``listing_timeout``
    bounds a listing, ``push_timeout`` a push, in seconds; where plain git has to take over, it has
    its own time. Close it when done: it may hold a connection open.
    """

    def __init__(
        self,
        make_link: Callable[[], Link | None],
        make_plain: MakePlain,
        packer: Packer,
        format: Format,
        *,
        listing_timeout: float = 60.0,
        push_timeout: float = 300.0,
    ) -> None:
        self._make_link, self._make_plain = make_link, make_plain
        self._packer, self._format = packer, format
        self._listing_timeout, self._push_timeout = listing_timeout, push_timeout
        self._plain = make_plain({})
        self._lock = threading.Lock()
        self._made = False
        self._link: Link | None = None
        self._why_plain: str | None = None
        self._atomic: bool | None = None
        self._seen: frozenset[Oid] = frozenset()
        self._fetcher: tuple[Mapping[str, str], Remote] = ({}, self._plain)

    @property
    def url(self) -> str:
        """The address without credentials."""
        return self._plain.url

    @property
    def supports_atomic(self) -> bool | None:
        """Whether the host takes atomic pushes, as far as it was seen."""
        return self._plain.supports_atomic if self._atomic is None else self._atomic

    @property
    def why_plain(self) -> str | None:
        """Why plain git is used for everything; None while it is not."""
        return self._why_plain if self._current() is None else None

    def list(self, prefixes: Sequence[str]) -> Listing:
        """Return all refs whose full name starts with one of ``prefixes``.

        Raises RemoteUnreachable, HostRefused.
        """
        link = self._current()
        if link is None or not all(map(_is_prefix, prefixes)):
            return self._plain.list(prefixes)
        try:
            refs = link.list(prefixes, Deadline(self._listing_timeout)) if prefixes else {}
        except TookTooLong as error:
            raise RemoteUnreachable(f"{self.url} did not answer: {error.reason}") from error
        except Stranger as error:
            # Git would take a page in one line for a server of plain files, without any refs.
            raise RemoteUnreachable(f"{self.url} cannot be reached: {error.reason}") from error
        except (Unfit, Lost) as error:
            self._learn(error)
            return self._plain.list(prefixes)
        self._seen = frozenset(refs.values())
        return Listing(refs)

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """Bring the objects of ``refs`` with their history, by plain git on our connection."""
        self._fetching().fetch(refs, have=have)

    def fetch_whole(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """See ``git.remote.Thorough``; by plain git on our connection."""
        fetch_whole(self._fetching(), refs, have=have)

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        """Send the updates, each under its own old value; return the fate of each ref.

        A STALE may also be a ref that has our value already. Raises RemoteUnreachable if surely
        nothing was sent. What was sent is never sent again, except what the server has told us
        that it did not do.
        """
        _require_good(updates)
        if not updates:
            return {}
        link = self._current()
        atomic = atomic and len(updates) > 1
        if link is None:
            return self._plain.push(updates, atomic=atomic)
        if atomic and self.supports_atomic is False:
            return everywhere(updates, PushState.UNSENT, NO_ATOMIC)
        session = self._session(lambda _: updates, atomic=atomic)
        fates = self._hold(session, lambda limit: session.run(link, limit))
        return self._plain.push(updates, atomic=atomic) if fates is None else fates

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        """Let ``choose`` decide what to push, on what this session shows where that is free.

        Over ssh and a path the session's own refs are shown; over http, and where a channel is open
        already, they would cost a round trip, and ``choose`` gets None. Raises as ``push``.
        """
        link = self._current()
        if link is None:
            return self._plain.push_chosen(choose)
        if not link.shows_anyway or link.is_open:
            return self.push(choose(None), atomic=False)
        session = self._session(lambda seen: _good(choose(seen)), atomic=False)
        fates = self._hold(session, lambda limit: session.look_and_run(link, limit))
        return self._plain.push_chosen(choose) if fates is None else fates

    def close(self) -> None:
        """End the connection. A later call makes a new one."""
        with self._lock:
            link = self._link
        if link is not None:
            link.close()

    def _session(self, choose: Choose, *, atomic: bool) -> Session:
        return Session(self._packer, self._format, choose, atomic, self._seen)

    def _hold(
        self, session: Session, run: Callable[[Deadline], Report | None]
    ) -> Mapping[str, RefResult] | None:
        """Hold ``session``; return the fate of each ref, None if plain git has to take over."""
        try:
            report = run(Deadline(self._push_timeout))
        except Declined as error:  # plain git would hear the same, and could not tell when
            return self._declined(session, error)
        except Unfit as error:
            self._learn(error)
            return None
        except Lost as error:
            self._learn(error)
            early = isinstance(error, TookTooLong) and not error.sent
            if early or session.updates is None:
                raise RemoteUnreachable(f"{self.url} did not answer: {error.reason}") from error
            unknown = everywhere(session.updates, PushState.UNKNOWN, error.reason)
            return {**unknown, **session.settled}
        if session.supports_atomic is not None:
            self._atomic = session.supports_atomic
        return self._fates(session, report)

    def _declined(self, session: Session, error: Declined) -> Mapping[str, RefResult]:
        """Judge a no that came before any command. Raises RemoteUnreachable for one that may pass.

        Hosts say so that they are overloaded or closed for an hour, too.
        """
        meant = failure(error.reason, self._plain.url)
        if not isinstance(meant, HostRefused):
            raise meant
        wanted = session.choose(None) if session.updates is None else session.updates
        return everywhere(wanted, PushState.REFUSED, error.reason)

    def _fates(self, session: Session, report: Report | None) -> Mapping[str, RefResult]:
        fates = dict(session.settled)
        if report is not None:
            fates.update(read_report(report, session.sent))
            again = unserved(report, session.sent, atomic=session.atomic)
            if again:
                atomic = session.atomic and len(again) > 1
                fates.update(self._push_again(again, atomic=atomic))
        ours = (u for u in session.updates or () if fates[u.ref].state is PushState.DONE)
        self._seen |= {u.new for u in ours if u.new}
        return fates

    def _push_again(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        """Send what the server lacked objects for, by plain git, which asks what it has."""
        self._seen = frozenset()
        try:
            return self._plain.push(updates, atomic=atomic)
        except RemoteUnreachable as error:  # others of the same push may be done: no error then
            return everywhere(updates, PushState.UNSENT, error.message)

    def _current(self) -> Link | None:
        with self._lock:
            if not self._made:
                self._made = True
                try:
                    self._link = self._make_link()
                    self._why_plain = None if self._link else _CONFIGURED
                except Unfit as error:
                    self._why_plain = error.reason
            return None if self._why_plain else self._link

    def _learn(self, error: Unfit | Lost) -> None:
        """Give the link up for good if its trouble is of the kind that stays.

        It is closed later: other calls may still be under way on it.
        """
        if error.lasting:
            self._why_plain = error.reason

    def _fetching(self) -> Remote:
        link = self._current()
        if link is None:
            return self._plain
        try:
            additions = link.environment(Deadline(self._listing_timeout))
        except (Unfit, Lost) as error:
            self._learn(error)
            return self._plain
        with self._lock:
            if self._fetcher[0] != additions:
                self._fetcher = (additions, self._make_plain(additions))
            return self._fetcher[1]


def _is_prefix(text: str) -> bool:
    return text.isprintable() and not text.startswith("-")


def _require_good(updates: Sequence[RefUpdate]) -> None:
    if len(updates) > _MOST_UPDATES or len({u.ref for u in updates}) != len(updates):
        raise ValueError(f"a push moves at most {_MOST_UPDATES} refs, each once")
    for update in updates:
        require_ref_name(update.ref)
        for oid in (update.old, update.new):
            if oid is not None:
                require_oid(oid)


def _good(updates: Sequence[RefUpdate]) -> Sequence[RefUpdate]:
    _require_good(updates)
    return updates
