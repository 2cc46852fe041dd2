"""What ``--amend`` may replace: one's own last commit, while nobody else can have it."""

from __future__ import annotations

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.base import Base
from gitbaton.workspace.safecommit.ledger import Ledger, Maker
from gitbaton.workspace.safecommit.message import subject


def require_own(base: Base, tree: WorkingTree, ledger: Ledger, me: Maker) -> None:
    """Raise Refused unless ``me`` made the tip by ``baton commit``, here, and it is not pushed.

    Who that is, the environment says (session and agent). Where it says nothing, all who commit
    under one address are one.
    """
    if base.tip is None or base.made is None:
        raise Refused("there is no commit to amend", code="not_yours", next=_ANEW)
    line = ledger.find(base.tip)
    if line is not None and line.maker == me:
        _require_unpushed(tree, base.tip)
        return
    author = base.made.author["GIT_AUTHOR_NAME"]
    what = f"the last commit ({base.tip[:10]}, {subject(base.made.message)!r} by {author})"
    if line is None:
        raise Refused(
            f"{what} was not made by baton commit in this working tree",
            code="not_yours",
            next=_ANEW,
        )
    maker = line.maker
    named = maker.session or maker.agent
    who = f"by another session: {named}" if named else f"without a session, by {maker.author}"
    raise Refused(f"{what} was made {who}", code="not_yours", next=_ANEW)


def _require_unpushed(tree: WorkingTree, tip: Oid) -> None:
    holding = tree.git.run(
        "for-each-ref", "--count=1", "--format=%(refname:short)", "--contains", tip, "refs/remotes/"
    ).text
    if holding:
        raise Refused(
            f"the last commit ({tip[:10]}) is pushed already: {holding} has it",
            code="pushed",
            next=_ANEW,
        )


_ANEW = "make another commit: baton commit PATH… -m MSG"
