"""The worktree of one claim: made on a fresh branch, found again after a crash.

It is a linked worktree of the coordination repository, so the branches, stash, configuration and
locks that an agent touches are ours; the user's clone stays as it was.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, GitFailed, Refused
from gitbaton.core.ids import Nonce, Oid, task_id
from gitbaton.core.process import Process
from gitbaton.git.history import contains, find_commit
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Git
from gitbaton.git.snapshot import OwnIndex, WorkingFiles, private_files
from gitbaton.git.worktrees import QUIET, Linked, Worktrees, erase
from gitbaton.store.model import Actor
from gitbaton.work.record import (
    ClaimRecord,
    Phase,
    claim_directory,
    claim_name,
    load_record,
    save_record,
)
from gitbaton.work.signature import identity

BRANCHES = "work/"  # of all claims' branches, in the coordination repository only
SUBMODULE_TIMEOUT = 900.0  # seconds
_NOWHERE = Oid("")  # where a worktree begins that is only reserved as yet


class NeedConflict(BatonError):
    """The branch of a finished need cannot be merged with the target; a person must."""

    code = "need_conflict"

    def __init__(self, need: str, files: Sequence[str], reason: str) -> None:
        about = f"conflicts in {', '.join(files)}" if files else reason
        super().__init__(
            f"the branch of need {need!r} does not merge with the target: {about}",
            next=f"merge it by hand, then: baton retry {need}",
        )
        self.need, self.files = need, tuple(files)


@dataclass(frozen=True, slots=True)
class Need:
    """A finished need: its task, and the commit that it published."""

    task: str
    commit: Oid


class ClaimWorktree:
    """One claim's worktree and what is recorded of it."""

    def __init__(self, repo: CoordinationRepository, record: ClaimRecord) -> None:
        self.repo = repo
        self.record = record

    @staticmethod
    def create(
        repo: CoordinationRepository,
        directory: Path,
        *,
        task: str,
        epoch: int,
        nonce: Nonce,
        owner: Process,
        base: Oid,
        needs: Sequence[Need],
        actor: Actor,
        clock: Clock,
    ) -> ClaimWorktree:
        """Make the worktree ``directory/<task>-e<epoch>`` on a branch from ``base``.

        The needs that ``base`` does not contain are merged into it. One that a crash left half
        made is made again. Raises NeedConflict, Refused where something is in the way, GitFailed;
        then nothing is left behind.
        """
        name = claim_name(task_id(task), epoch)
        path = directory.absolute() / name
        known = load_record(repo, name)
        if known is not None and known.phase is Phase.MAKING:
            if not _is_reservation(known):
                ClaimWorktree(repo, known).discard()
        elif known is not None or path.exists() or path.is_symlink():
            raise Refused(f"{path} is already there", next="baton gc")
        branches = local_branches(repo)
        tip = branches.pop(BRANCHES + name, None)
        if tip is not None:
            if not contains(repo, base, tip):
                raise Refused(f"there is work on a branch {BRANCHES + name}", next="baton gc")
            # Of a git that outlived its killed worker for a moment.
            repo.git.run("update-ref", "-d", f"refs/heads/{BRANCHES + name}", tip)
        record = ClaimRecord(
            task=task,
            epoch=epoch,
            nonce=nonce,
            owner=owner,
            phase=Phase.MAKING,
            path=str(path),
            branch=BRANCHES + name,
            base=base,
            start=base,
            stashes=tuple(oid for oid, _ in stash_entries(repo)),
            branches=tuple(branches),
        )
        made = ClaimWorktree(repo, record)
        try:
            made._update()
            made._fill(needs, identity(actor, clock))
        except BaseException:
            made.discard()
            raise
        return made

    @staticmethod
    def reserve(
        repo: CoordinationRepository,
        directory: Path,
        *,
        task: str,
        epoch: int,
        nonce: Nonce,
        owner: Process,
    ) -> ClaimRecord | None:
        """Record that ``owner`` is about to make a worktree for a claim that it has just won.

        Should it be killed before ``create``, the record tells whose claim that was. None where
        there is a record of this name already.
        """
        name = claim_name(task_id(task), epoch)
        if load_record(repo, name) is not None:
            return None
        record = ClaimRecord(
            task=task,
            epoch=epoch,
            nonce=nonce,
            owner=owner,
            phase=Phase.MAKING,
            path=str(directory.absolute() / name),
            branch=BRANCHES + name,
            base=_NOWHERE,
            start=_NOWHERE,
        )
        save_record(repo, record, durable=False)  # after a power cut, the lease runs out
        return record

    @staticmethod
    def open(repo: CoordinationRepository, name: str) -> ClaimWorktree | None:
        """Return the worktree of the claim ``name``, None if none is recorded."""
        record = load_record(repo, name)
        return None if record is None else ClaimWorktree(repo, record)

    @property
    def path(self) -> Path:
        """Where its files were made, and normally are."""
        return Path(self.record.path)

    @property
    def place(self) -> Path | None:
        """Where its files are now: an agent may have moved or deleted them (None)."""
        places = [self.path]
        with contextlib.suppress(OSError):
            moved = (Path(self.record.admin) / "gitdir").read_bytes()
            places.append(Path(moved.decode("utf-8", "surrogateescape").rstrip("\n")).parent)
        return next((place for place in places if place.is_dir()), None)

    @property
    def is_recorded(self) -> bool:
        """Whether it is still known: it was not removed."""
        return (claim_directory(self.repo, self.record.name) / "claim.json").exists()

    @property
    def registered(self) -> bool:
        """Whether git's own directory for it is still there."""
        admin = Path(self.record.admin)
        return bool(self.record.admin) and all(
            (admin / name).is_file() for name in ("HEAD", "commondir")
        )

    def git(self, *options: str) -> Git:
        """Return git for its files. HEAD is the worktree's own only if ``registered``."""
        place = self.place or self.path
        if self.registered:
            linked = Linked(place, Path(self.record.admin))
            return Worktrees(self.repo).at(linked, *options)
        places = (f"--git-dir={self.repo.path}", f"--work-tree={place}", "-c", "core.bare=false")
        where = place if place.is_dir() else self.repo.path
        return Git(where, self.repo.git.env, (*places, *QUIET, *options))

    @contextlib.contextmanager
    def files(self) -> Iterator[tuple[WorkingFiles, OwnIndex]]:
        """Give its files, seen through a private index, and what its own index tells."""
        home = claim_directory(self.repo, self.record.name)
        own = Path(self.record.admin or home) / "index"
        with private_files(self.git(), home, seed=home / "index", own=own) as given:
            yield given

    def adopt(self, owner: Process) -> None:
        """Record that ``owner`` looks after it from now on."""
        self._update(owner=owner)

    def mark(self, phase: Phase) -> None:
        """Record that it has reached ``phase``."""
        self._update(phase=phase)

    def discard(self) -> None:
        """Erase it with its branch and record, whatever it holds (see work/salvage.py: remove)."""
        Worktrees(self.repo).discard(self.path)
        ref = f"refs/heads/{self.record.branch}"
        (self.repo.path / f"{ref}.lock").unlink(missing_ok=True)  # of a git that was killed
        self.repo.git.run("update-ref", "-d", ref, check=False)
        erase(claim_directory(self.repo, self.record.name))

    def _update(self, **changes: object) -> None:
        self.record = msgspec.structs.replace(self.record, **changes)
        save_record(self.repo, self.record)

    def _fill(self, needs: Sequence[Need], who: dict[str, str]) -> None:
        branch = self.record.branch
        linked = Worktrees(self.repo).add(self.path, self.record.base, branch=branch)
        self._update(admin=str(linked.admin))
        for need in needs:
            self._merge(need, who)
        notes = self._fetch_submodules() if (self.path / ".gitmodules").exists() else ()
        home = claim_directory(self.repo, self.record.name)
        # Git judges by an index's time which entries may be racily clean: copy that too.
        shutil.copy2(linked.admin / "index", home / "index")
        start = find_commit(self.repo, f"refs/heads/{branch}") if needs else self.record.base
        self._update(start=start, notes=notes, phase=Phase.WORKING)

    def _merge(self, need: Need, who: dict[str, str]) -> None:
        git = self.git()
        tip = find_commit(self.repo, f"refs/heads/{self.record.branch}")
        if tip is not None and contains(self.repo, tip, need.commit):
            return
        message = f"Merge the result of {need.task}"
        done = git.run(
            *("merge", "--quiet", "--ff", "--no-edit", "-m", message, need.commit),
            env=who,
            check=False,
        )
        if done.status != 0:
            listed = git.run("diff", "--name-only", "--diff-filter=U", "-z", check=False)
            files = [name for name in listed.text.split("\0") if name]
            raise NeedConflict(need.task, files, done.stderr.strip())

    def _fetch_submodules(self) -> tuple[str, ...]:
        """Fetch the submodules; return what went wrong, since the task may not need them."""
        git = Git(self.path, self.repo.git.env, QUIET)
        try:
            with Worktrees(self.repo).lock():  # writes to the configuration that all share
                git.run("submodule", "--quiet", "init")
            git.run(
                *("submodule", "--quiet", "update", "--init", "--recursive"),
                timeout=SUBMODULE_TIMEOUT,
            )
        except (GitFailed, BatonError) as error:
            return (f"submodules are not complete: {error.message}",)
        return ()


def forget_reservation(repo: CoordinationRepository, record: ClaimRecord) -> None:
    """Erase what ``ClaimWorktree.reserve`` recorded, if no worktree came of it."""
    if load_record(repo, record.name) == record:
        erase(claim_directory(repo, record.name))


def _is_reservation(record: ClaimRecord) -> bool:
    return record.base == _NOWHERE


def local_branches(repo: CoordinationRepository) -> dict[str, Oid]:
    """Return the branches of the coordination repository: name -> tip."""
    shown = repo.git.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/").text
    pairs = (line.split(" ") for line in shown.split("\n") if line)
    return {ref.removeprefix("refs/heads/"): Oid(oid) for ref, oid in pairs}


def stash_entries(repo: CoordinationRepository) -> list[tuple[Oid, str]]:
    """Return the stash that all worktrees share: (commit, what git noted of it), newest first."""
    if not (repo.path / "logs" / "refs" / "stash").exists():
        return []  # its entries are the lines of this file (git-stash(1), "DISCUSSION")
    listed = repo.git.run("reflog", "show", "--format=%H %gs", "refs/stash", "--", check=False)
    lines = listed.text.split("\n") if listed.status == 0 else []
    return [(Oid(line.partition(" ")[0]), line.partition(" ")[2]) for line in lines if line]
