"""Reads what protects people (gates, approvers, land rules) where agents cannot edit it.

That is the remote's target branch; without a remote, the clone's own. The default branch may name
another target in its ``baton.toml``; then that one's file counts, and it may not name a third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitbaton.core.clock import Clock
from gitbaton.core.config import ProtectedConfig
from gitbaton.core.config_file import FILE_NAME, parse_protected
from gitbaton.core.errors import GitFailed, InvalidInput, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import GitTimeout
from gitbaton.store.model import ABSENT, Actor, Key, Transaction, make_key
from gitbaton.store.protocol import Store
from gitbaton.workspace.committed import read_committed

_KEY = make_key("protection", "target")
_LOOKS = 5  # at a branch that moves while it is fetched
_FRESH = 60.0  # seconds for which a reading serves what does not open a gate


@dataclass(frozen=True, slots=True)
class Protection:
    """The protected configuration, and where it was read.

    ``commit`` is None where the target branch does not exist yet; then the defaults hold.
    ``allowed_signers`` is the content of that file, None where there is none. ``unreadable``
    says why a file on the branch could not be read or understood; then no gate is open (I9).
    """

    config: ProtectedConfig
    target: str
    commit: Oid | None
    allowed_signers: str | None = None
    unreadable: str | None = None


class ProtectionReader:
    """Reads the protection of one clone. ``default`` is the branch the remote calls its own."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote | None,
        *,
        default: str,
        local: Store,
        clock: Clock,
    ) -> None:
        self._repository, self._remote = repository, remote
        self._default, self._local, self._clock = default, local, clock
        self._decoded: dict[tuple[str, Oid], Protection] = {}

    def read(self, *, fresh: bool) -> Protection:
        """Return the protection; ``fresh`` asks the remote even if it was asked a moment ago.

        Raises RemoteUnreachable, HostRefused.
        """
        if self._remote is not None and not fresh:
            remembered = self.recall(younger=_FRESH)
            if remembered is not None:
                return remembered
        first = self._at(self._default)
        wanted = first.config.project.target
        found = first if wanted in (None, self._default) else self._at(str(wanted))
        if self._remote is not None:
            self._remember(found)
        return found

    def _at(self, branch: str) -> Protection:
        commit = self._tip(branch)
        if commit is None:
            return Protection(ProtectedConfig(), branch, None)
        return self._decode(branch, commit)

    def _decode(self, branch: str, commit: Oid) -> Protection:
        """Return what ``commit`` says: always the same. What could not be read is read again."""
        known = self._decoded.get((branch, commit))
        if known is None:
            known = self._read(branch, commit)
            if known.unreadable is None:
                self._decoded[branch, commit] = known
        return known

    def _read(self, branch: str, commit: Oid) -> Protection:
        source = f"{FILE_NAME} on {branch}"
        config = ProtectedConfig()
        try:
            text = read_committed(self._repository, commit, FILE_NAME)
            if text is not None:
                config = parse_protected(text, source)
            signers = read_committed(self._repository, commit, config.project.allowed_signers)
        except (InvalidInput, GitFailed, GitTimeout) as error:
            return Protection(config, branch, commit, unreadable=error.message)
        return Protection(config, branch, commit, signers)

    def _tip(self, branch: str) -> Oid | None:
        ref = f"refs/heads/{branch}"
        git = self._repository.clone.git
        if self._remote is None:
            shown = git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", check=False)
            return Oid(shown.text) if shown.status == 0 else None
        for _ in range(_LOOKS):
            tip = self._remote.list([ref]).refs.get(ref)
            if tip is None or self._has(tip):
                return tip
            self._remote.fetch({ref: tip})
            if self._has(tip):
                return tip  # else it moved between the two: what is there now is as good
        raise RemoteUnreachable(f"{branch} moves faster than it can be read", next="try again")

    def _has(self, oid: Oid) -> bool:
        return self._repository.git.run("cat-file", "-e", oid, check=False).status == 0

    def recall(self, *, younger: float = float("inf")) -> Protection | None:
        """Return what was read in an earlier run, ``younger`` than so many seconds, else None."""
        record = self._local.read(_KEY).records.get(Key(_KEY))
        if record is None or not self._is_recent(record.value, younger):
            return None
        branch, commit = record.value.get("branch"), record.value.get("commit")
        if not isinstance(branch, str):
            return None
        if commit is None:
            return Protection(ProtectedConfig(), branch, None)
        oid = Oid(str(commit))
        known = (branch, oid) in self._decoded
        return self._decode(branch, oid) if known or self._has(oid) else None

    def _is_recent(self, value: Any, younger: float) -> bool:
        remote = self._remote
        return (
            remote is not None
            and value.get("origin") == self._clock.origin
            and (value.get("url"), value.get("default")) == (remote.url, self._default)
            and 0 <= self._clock.elapsed() - float(value.get("seen", 0)) < younger
        )

    def _remember(self, found: Protection) -> None:
        assert self._remote is not None
        record = self._local.read(_KEY).records.get(Key(_KEY))
        value = {
            "url": self._remote.url,
            "default": self._default,
            "branch": found.target,
            "commit": found.commit,
            "seen": self._clock.elapsed(),
            "origin": self._clock.origin,
        }
        change = Transaction(
            expect={_KEY: ABSENT if record is None else record.version},
            write={_KEY: value},
            subject="protection: read",
            actor=Actor("baton"),
        )
        self._local.commit([change])  # lost to another process: it remembered the same


def project_name(config: ProtectedConfig, address: str) -> str:
    """Return the name approvals are bound to: the configured, or the end of ``address``.

    Clones reach one remote by several addresses (ssh, https, a mounted path): the last part is
    what they have in common.
    """
    last = address.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git")
    return config.project.name or last or "project"
