"""The plain transport: one remote, reached by ``git ls-remote``, ``git fetch`` and ``git push``.

It works for every URL and credential helper that the user's own git works for. The price is a
few processes and round trips for each call, and what the commands cannot say: no verification of
a ref that does not move, and listings that are filtered on this side.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from gitbaton.core.errors import HostRefused, InvalidInput, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.answers import (
    parse_listing,
    parse_push,
    printable,
    remote_lines,
    require_oid,
    require_ref_name,
)
from gitbaton.git.failures import failure, is_passing, nothing_was_sent, shown
from gitbaton.git.remote import Choose, Listing, PushState, RefResult, RefUpdate
from gitbaton.git.runner import Completed, Git, GitTimeout

if TYPE_CHECKING:
    from stamina import RetryingCaller

# Unattended: ssh asks nothing and notices a dead link (15 s), http gives up on a stalled one.
_QUIET_SSH = (
    "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=5 -oServerAliveCountMax=3"
)
_PATIENCE = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": "60"}

# What a user's configuration may add to a push or fetch, and what has no place in ours.
_FETCH = (
    "--quiet",
    "--no-write-fetch-head",
    "--no-tags",
    "--no-prune",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--no-write-commit-graph",
    "--refmap=",  # no opportunistic update of remote-tracking refs
)
_PUSH = (
    "--porcelain",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--no-force-if-includes",
    "--recurse-submodules=no",
)

_PATTERNS = 200  # arguments of one ls-remote
_TIPS = 64  # negotiation tips of one fetch
_MOST_UPDATES = 1000  # a push is never split, and an argument list has an end
_ALL = 2**31 - 1  # the depth that git takes for no bound at all
_ROUNDS = 8  # how often refs may vanish under one fetch

_VANISHED = re.compile(r"couldn't find remote ref (\S+)")
_MOVED = re.compile(r"not our ref|unadvertised object|did not send all necessary objects")
_ENDS_IN_USE = re.compile(r"shallow\.lock': File exists|shallow file has changed since we read it")
_BAD_TIP = re.compile(r"the object \S+ does not exist|is not a valid object")

_NO_ATOMIC = "does not support --atomic"
_GLOB = re.compile(r"([*?\[\\])")


class PlainRemote:
    """One remote, used through the git commands, run in the coordination repository.

    ``git`` runs in that bare repository; ``url`` is anything ``git push`` takes but the name of
    a configured remote. ``listing_timeout`` bounds a listing, ``push_timeout`` a fetch and a
    push, in seconds, retries included. Implements ``git.remote.Remote``; all of it is
    thread-safe. Raises InvalidInput for a ``url`` that git could take for an option.
    """

    def __init__(
        self,
        git: Git,
        url: str,
        *,
        listing_timeout: float = 60.0,
        push_timeout: float = 300.0,
    ) -> None:
        if not url or url.startswith("-") or not url.isprintable():
            raise InvalidInput("url", f"{url!r} is no address of a git repository")
        self._git, self._url = git, url
        self._listing_timeout, self._push_timeout = listing_timeout, push_timeout
        self._atomic: bool | None = None
        self._settled: tuple[str, ...] | None = None
        self._settling = threading.Lock()

    @property
    def url(self) -> str:
        """The address without credentials."""
        return shown(self._url)

    @property
    def supports_atomic(self) -> bool | None:
        """Whether the host takes atomic pushes, as the last one showed; None before the first."""
        return self._atomic

    def list(self, prefixes: Sequence[str]) -> Listing:
        """Return all refs whose full name starts with one of ``prefixes``.

        More than 200 prefixes take several listings, each of its own moment. Raises
        RemoteUnreachable or HostRefused; a passing failure is tried again within the time.
        """
        return self._list(prefixes, _Deadline(self._listing_timeout))

    def fetch(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """Bring the objects of ``refs`` with their history; refs are not written.

        What is fetched is what the refs have *now*. Those that vanished meanwhile are left out
        and the rest still arrives; the listed values themselves are not asked for, since hosts
        may refuse objects that no ref has. Raises as ``list``.
        """
        wanted = [require_ref_name(ref) for ref in refs]
        tips = [f"--negotiation-tip={require_oid(oid)}" for oid in have[-_TIPS:]]
        deadline = _Deadline(self._push_timeout)
        for _ in range(_ROUNDS):
            if not wanted:
                return
            done = self._patiently(
                deadline,
                ("fetch", *_FETCH, *tips, "--stdin", "--", self._url),
                stdin="".join(f"{ref}\n" for ref in wanted).encode(),
                expected=(_VANISHED, _MOVED, _BAD_TIP),
            )
            if done.status == 0:
                return
            if _BAD_TIP.search(done.stderr):
                tips = []
                continue
            gone = set(_VANISHED.findall(done.stderr))
            there = self._list(wanted, deadline).refs
            wanted = [ref for ref in wanted if ref in there and ref not in gone]

    def fetch_whole(self, refs: Mapping[str, Oid], *, have: Sequence[Oid] = ()) -> None:
        """See ``git.remote.Thorough``."""
        from gitbaton.git.mending import believing_only_us, fetch_apart

        def fetch(git: Git) -> None:
            PlainRemote(git, self._url, push_timeout=self._push_timeout).fetch(refs, have=have)

        if have:
            fetch(believing_only_us(self._git))
        else:
            fetch_apart(self._git, fetch)

    def fetch_last(self, ref: str, depth: int | None, *, inherit: tuple[int, ...] = ()) -> bool:
        """Bring the last ``depth`` commits of ``ref`` (None: all); history here then ends there.

        What is beyond is hidden, not removed (git-fetch(1), ``--depth``). Other refs keep their
        history. Git gets the descriptors ``inherit``. Returns False where another git changes the
        ends of history just now, or was killed while it did. Raises as ``list``.
        """
        deadline = _Deadline(self._push_timeout)
        wanted = _ALL if depth is None else max(depth, 1)
        done = self._patiently(
            deadline,
            ("fetch", *_FETCH, f"--depth={wanted}", "--", self._url, require_ref_name(ref)),
            expected=(_ENDS_IN_USE,),
            inherit=inherit,
        )
        return done.status == 0

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        """Send the updates, each under its own old value; return the fate of each ref.

        A DONE whose reason is ``answers.UP_TO_DATE`` moved nothing: the ref had our value
        already, perhaps because another client sent the same bytes. A push refused for want of
        credentials is REFUSED throughout. Raises RemoteUnreachable if surely nothing was sent.
        Never tried again here: only the caller can tell what a second attempt would mean.
        """
        if not updates:
            return {}
        if atomic and self._atomic is False:
            return _all(updates, PushState.UNSENT, "the host takes no atomic pushes")
        try:
            done = self._run(self._push_command(updates, atomic=atomic), timeout=self._push_timeout)
        except GitTimeout as error:
            return _all(updates, PushState.UNKNOWN, error.message)
        if atomic and _NO_ATOMIC in done.stderr:
            self._atomic = False
            return _all(updates, PushState.UNSENT, "the host takes no atomic pushes")
        fates = parse_push(done.text, updates, said=remote_lines(done.stderr))
        if all(fate.state is PushState.UNKNOWN for fate in fates.values()):
            return self._unanswered(updates, done)
        if atomic:
            self._atomic = True
        return fates

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        """Push what ``choose`` picks without seeing the refs: git shows them to nobody."""
        return self.push(choose(None), atomic=False)

    def close(self) -> None:
        """Nothing stays open between two commands."""

    def _push_command(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Sequence[str]:
        options = [*_PUSH, "--atomic"] if atomic else _PUSH
        return ["push", *options, *_leases(updates), "--", self._url, *_refspecs(updates)]

    def _unanswered(self, updates: Sequence[RefUpdate], done: Completed) -> Mapping[str, RefResult]:
        """Judge a push that told nothing of any ref: surely not sent, or unknown."""
        if not nothing_was_sent(done.stderr):
            return _all(updates, PushState.UNKNOWN, printable(done.stderr) or "no answer")
        error = failure(done.stderr, self._url)
        if isinstance(error, HostRefused):
            return _all(updates, PushState.REFUSED, error.reason)
        raise error

    def _list(self, prefixes: Sequence[str], deadline: _Deadline) -> Listing:
        refs: dict[str, Oid] = {}
        for some in _chunks([_require_prefix(p) for p in prefixes], _PATTERNS):
            patterns = [_GLOB.sub(r"\\\1", prefix) + "*" for prefix in some]
            done = self._patiently(
                deadline, ("ls-remote", "--quiet", "--refs", "--", self._url, *patterns)
            )
            refs.update(parse_listing(done.text, some))
        return Listing(refs)

    def _patiently(
        self,
        deadline: _Deadline,
        args: Sequence[str],
        *,
        stdin: bytes | None = None,
        expected: Sequence[re.Pattern[str]] = (),
        inherit: tuple[int, ...] = (),
    ) -> Completed:
        """Run a question, again if the network failed it. Only for what changes nothing there.

        A failure whose text matches one of ``expected`` is returned, others are raised.
        """

        def ask() -> Completed:
            try:
                done = self._run(args, stdin=stdin, timeout=deadline.left(), inherit=inherit)
            except GitTimeout as error:
                raise RemoteUnreachable(f"{self.url} did not answer: {error.message}") from error
            if done.status == 0 or any(p.search(done.stderr) for p in expected):
                return done
            raise failure(done.stderr, self._url)

        caller = _retrying()(
            attempts=3, timeout=deadline.left(), wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
        )
        return caller(lambda error: is_passing(error) and not deadline.over(), ask)

    def _run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        stdin: bytes | None = None,
        inherit: tuple[int, ...] = (),
    ) -> Completed:
        words = (*self._defaults(), *args)
        return self._git.run(*words, stdin=stdin, timeout=timeout, check=False, inherit=inherit)

    def _defaults(self) -> tuple[str, ...]:
        """Return ``-c`` options for what the user has not settled in another way."""
        with self._settling:
            if self._settled is None:
                self._settled = tuple(_unsettled(self._git, self._url))
            return self._settled


@cache
def _retrying() -> type[RetryingCaller]:
    """Return what asks again; it costs 17 ms to import, so only where plain git asks."""
    import logging

    import stamina

    # Logging prints the warnings of a logger that nobody handles; a second attempt is no news.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    return stamina.RetryingCaller


class _Deadline:
    """A bound in time for a call that runs several commands."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.01)

    def over(self) -> bool:
        return time.monotonic() >= self._end


def _unsettled(git: Git, url: str) -> Iterator[str]:
    ssh = git.run("config", "--get", "core.sshCommand", check=False)
    if ssh.status != 0 and not {"GIT_SSH_COMMAND", "GIT_SSH"} & git.env.keys():
        yield from ("-c", f"core.sshCommand={_QUIET_SSH}")
    if url.startswith(("http://", "https://")):
        for name, value in _PATIENCE.items():
            if git.run("config", "--get-urlmatch", name, url, check=False).status != 0:
                yield from ("-c", f"{name}={value}")


def _leases(updates: Sequence[RefUpdate]) -> Iterator[str]:
    if len(updates) > _MOST_UPDATES or len({u.ref for u in updates}) != len(updates):
        raise ValueError(f"a push moves at most {_MOST_UPDATES} refs, each once")
    for update in updates:
        old = require_oid(update.old) if update.old else ""  # empty: there must be no such ref
        yield f"--force-with-lease={require_ref_name(update.ref)}:{old}"


def _refspecs(updates: Sequence[RefUpdate]) -> Iterator[str]:
    return (f"{require_oid(u.new) if u.new else ''}:{u.ref}" for u in updates)


def _all(updates: Sequence[RefUpdate], state: PushState, reason: str) -> dict[str, RefResult]:
    return {update.ref: RefResult(state, reason) for update in updates}


def _require_prefix(prefix: str) -> str:
    if prefix.startswith("-") or not prefix.isprintable():
        raise InvalidInput("prefix", f"{prefix!r} is no beginning of a ref name")
    return prefix


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[i : i + size] for i in range(0, len(items), size))
