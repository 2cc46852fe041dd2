"""Questions about commits: who contains whom, and what would be lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.git.objects import decode_commit
from gitbaton.git.repository import CoordinationRepository


def contains(repo: CoordinationRepository, tip: Oid, commit: Oid) -> bool:
    """Tell whether ``commit`` is ``tip`` or one of its ancestors. Raises GitFailed."""
    return repo.is_ancestor(commit, tip)


def commits_between(repo: CoordinationRepository, old: Oid, new: Oid) -> list[Oid]:
    """Return the commits of ``new`` that ``old`` does not contain, parents first."""
    listed = repo.git.run("rev-list", "--reverse", "--topo-order", f"{old}..{new}").text
    return [Oid(line) for line in listed.split("\n") if line]


def unreachable(
    repo: CoordinationRepository, tips: Sequence[Oid], published: Collection[Oid]
) -> list[Oid]:
    """Return those of ``tips`` that no commit in ``published`` contains, in order.

    Members of ``published`` whose objects are not here are left out: then a tip counts as
    unreachable, which errs on the side of keeping.
    """
    wanted = [tip for tip in tips if tip not in published]
    if not wanted:
        return []
    known = set(published) - repo.objects.missing_commits(published)
    lines = [*wanted, *(f"^{oid}" for oid in sorted(known))]
    asked = repo.git.run("rev-list", "--stdin", stdin="\n".join(lines).encode() + b"\n")
    lost = set(asked.text.split("\n"))
    return [tip for tip in dict.fromkeys(wanted) if tip in lost]


def independent(repo: CoordinationRepository, tips: Sequence[Oid]) -> list[Oid]:
    """Return those of ``tips`` that no other of them contains, in order."""
    if len(tips) < 2:
        return list(tips)
    asked = set(repo.git.run("merge-base", "--independent", *tips).text.split("\n"))
    return [tip for tip in dict.fromkeys(tips) if tip in asked]


def tree_of(repo: CoordinationRepository, commit: Oid) -> Oid:
    """Return the tree of ``commit``. Raises MissingObject."""
    kind, body = repo.objects.read(commit)
    if kind != "commit":
        raise ValueError(f"{commit} is a {kind}, not a commit")
    return decode_commit(body).tree


def find_commit(repo: CoordinationRepository, name: str) -> Oid | None:
    """Return the commit that the ref or object id ``name`` leads to, None if there is none."""
    asked = repo.git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)
    return Oid(asked.text) if asked.status == 0 else None


def content_only_in(repo: CoordinationRepository, tree: Oid, others: Sequence[Oid]) -> list[str]:
    """Return the paths at which ``tree`` holds a file as it is in none of the trees ``others``."""
    if tree in others:
        return []
    unique: set[str] | None = None
    for other in others:
        shown = repo.git.run(
            "diff-tree", "-r", "-z", "--no-renames", "--diff-filter=d", other, tree
        )
        # Alternately ":modes oids status" and a path; "d" leaves out what ``tree`` lacks.
        paths = set(shown.text.split("\0")[1::2])
        unique = paths if unique is None else unique & paths
    return sorted(unique or ())


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One commit on the way back from a tip along first parents. ``seconds``: since the epoch."""

    commit: Oid
    tree: Oid
    seconds: int
    author: str
    subject: str


def first_parents(
    repo: CoordinationRepository, tip: Oid, *, limit: int | None = None
) -> Iterator[Ancestor]:
    """Yield ``tip`` and its first parents, newest first, as far as history is here.

    ``limit``: no more than that; None: all. One process, however many there are. Raises GitFailed.
    """
    form = "--format=%H%x00%T%x00%ct%x00%an%x00%s"
    plain = ("-c", "log.showSignature=false")  # it would print between the lines
    most = () if limit is None else (f"--max-count={limit}",)
    listed = repo.git.run(*plain, "log", "--first-parent", "-z", *most, form, tip).text
    fields = listed.split("\0")
    for at in range(0, len(fields) - 4, 5):
        commit, tree, seconds, author, subject = fields[at : at + 5]
        yield Ancestor(Oid(commit), Oid(tree), int(seconds), author, subject)
