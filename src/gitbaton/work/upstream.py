"""The code branches of the remote, as a worker sees them: tips to start from and to land on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid, branch_name
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository


class Upstream:
    """Branches of ``remote``; their commits are brought into the coordination repository."""

    def __init__(self, repository: CoordinationRepository, remote: Remote) -> None:
        self._repository = repository
        self._remote = remote

    def tips(self, branches: Iterable[str]) -> Mapping[str, Oid]:
        """Return the tips of those of ``branches`` that exist, their commits fetched.

        Raises RemoteUnreachable, HostRefused.
        """
        refs = {f"refs/heads/{branch_name(name)}": name for name in branches}
        for _ in range(3):
            listed = self._remote.list(list(refs)).refs if refs else {}
            found = {ref: oid for ref, oid in listed.items() if ref in refs}
            objects = self._repository.objects
            absent = objects.missing_commits(found.values())
            if absent:
                self._remote.fetch({ref: oid for ref, oid in found.items() if oid in absent})
                absent = objects.missing_commits(found.values())
            if not absent:
                return {refs[ref]: oid for ref, oid in found.items()}
        raise RemoteUnreachable("the branches move faster than they can be read", next="try again")

    def tip(self, branch: str) -> Oid | None:
        """Return the tip of one branch, None if there is no such branch."""
        return self.tips([branch]).get(branch)

    def contains(self, tip: Oid, commit: Oid) -> bool:
        """Tell whether ``commit`` is ``tip`` or among its ancestors (both must be here)."""
        return self._repository.is_ancestor(commit, tip)

    def has(self, commit: Oid) -> bool:
        """Tell whether ``commit`` is in the coordination repository or the clone."""
        return not self._repository.objects.missing_commits([commit])
