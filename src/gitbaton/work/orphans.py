"""After a crash: worktrees whose process is gone, taken over one by one (I3, I4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.core.process import Process, same_process
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.worktrees import Worktrees, erase
from gitbaton.work.record import ClaimRecord, Phase, claim_directory, is_blank, recorded_names
from gitbaton.work.salvage import finish_removal
from gitbaton.work.worktree import ClaimWorktree


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a sweep found.

    ``adopted``: worktrees that may hold work and are the caller's now, to be salvaged. ``strange``:
    directories nobody recorded (left alone). ``damaged``: records that cannot be read, and why.
    """

    adopted: tuple[ClaimWorktree, ...]
    strange: tuple[Path, ...]
    damaged: tuple[str, ...]


def sweep(
    repo: CoordinationRepository,
    directory: Path,
    *,
    alive: Callable[[Process], bool],
    owner: Process,
    bereaved: Callable[[ClaimRecord], object] = lambda record: None,
    left: Callable[[str], bool] = lambda name: False,
) -> Orphans:
    """Take over all worktrees whose owner is not ``alive``, for ``owner``.

    Also those that ``owner`` has already, where ``left`` tells that nothing of it is at the claim
    of that name: an earlier attempt to save it failed.

    Half-made ones never had an agent in them, and half-removed ones were found to hold nothing:
    both are erased here. ``bereaved`` is called for each before anything of it goes: until then
    its record tells of the claim. Two sweeps at once share the orphans, each getting others.
    """

    def gone(record: ClaimRecord) -> bool:
        ours = same_process(record.owner, owner)
        return not alive(record.owner) or (ours and left(record.name))

    worktrees = Worktrees(repo)
    worktrees.sweep_scratch()
    worktrees.prune()
    adopted: list[ClaimWorktree] = []
    damaged: list[str] = []
    known: set[Path] = set()
    for name in recorded_names(repo):
        known.add(directory / name)
        try:
            if not (directory / name).exists() and is_blank(repo, name):
                erase(claim_directory(repo, name))  # a reservation, of which nothing came
                continue
            claim = _adopt(repo, name, gone, owner, bereaved)
        except BatonError as error:
            damaged.append(error.message)
        except OSError as error:
            damaged.append(f"{error.filename or name}: {error.strerror}")
        else:
            adopted += [claim] if claim is not None else []
    found = directory.iterdir() if directory.is_dir() else ()
    return Orphans(
        adopted=tuple(adopted),
        strange=tuple(sorted(p for p in found if p.is_dir() and p not in known)),
        damaged=tuple(damaged),
    )


def _adopt(
    repo: CoordinationRepository,
    name: str,
    gone: Callable[[ClaimRecord], bool],
    owner: Process,
    bereaved: Callable[[ClaimRecord], object],
) -> ClaimWorktree | None:
    with Worktrees(repo).lock():
        claim = ClaimWorktree.open(repo, name)
        if claim is None or not gone(claim.record):
            return None
        claim.adopt(owner)
    bereaved(claim.record)
    if claim.record.phase is Phase.MAKING:
        claim.discard()
        return None
    if claim.record.phase is Phase.REMOVING:
        finish_removal(claim)
        return None
    return claim
