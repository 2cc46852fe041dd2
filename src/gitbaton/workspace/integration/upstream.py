"""Where a branch is pushed to and what is there: asked and told through git's own commands.

The user's own repository fetches and pushes, so its remotes, credentials and hooks apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gitbaton.core.errors import BatonError, GitFailed, HostRefused, Refused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.answers import parse_push, printable, remote_lines
from gitbaton.git.failures import failure
from gitbaton.git.head import read_tip
from gitbaton.git.remote import PushState, RefUpdate
from gitbaton.git.runner import GitTimeout
from gitbaton.git.workingtree import WorkingTree

_FETCH_PATIENCE: Final = 300.0  # seconds
_PUSH_PATIENCE: Final = 1800.0  # seconds: a pre-push hook may run the tests
_RACES: Final = 5  # lost to another fetch of the same branch


@dataclass(frozen=True, slots=True)
class Upstream:
    """The branch ``ref`` of ``remote``, and the ref ``tracking`` that remembers it here.

    ``fresh``: it was not set before; the first push makes it the upstream.
    """

    remote: str
    ref: str
    tracking: str
    fresh: bool = False

    @property
    def name(self) -> str:
        """Its name for people."""
        return f"{self.remote}/{self.ref.removeprefix('refs/heads/')}"


def find_upstream(tree: WorkingTree, branch: str, *, fallback: str | None) -> Upstream | None:
    """Return the upstream of ``branch`` (a full ref); else that of its name on ``fallback``.

    None where there is neither, or where the upstream is a branch of this very repository.
    """
    shown = tree.git.run(
        "for-each-ref",
        "--format=%(upstream:remotename)%00%(upstream:remoteref)%00%(upstream)",
        branch,
    ).text
    remote, ref, tracking = shown.split("\0") if shown else ("", "", "")
    if remote and remote != "." and ref and tracking:
        return Upstream(remote, ref, tracking)
    if remote or fallback is None:
        return None
    name = branch.removeprefix("refs/heads/")
    return Upstream(fallback, branch, f"refs/remotes/{fallback}/{name}", fresh=True)


def fetch(tree: WorkingTree, upstream: Upstream) -> Oid | None:
    """Fetch the branch and return where it is; None where the remote has no such branch yet.

    Raises RemoteUnreachable, HostRefused.
    """
    for left in reversed(range(_RACES)):
        try:
            done = tree.git.run(
                *("fetch", "--quiet", "--no-write-fetch-head", "--no-recurse-submodules", "--"),
                *(upstream.remote, f"+{upstream.ref}:{upstream.tracking}"),
                timeout=_FETCH_PATIENCE,
                check=False,
            )
        except GitTimeout as error:
            raise RemoteUnreachable(f"{upstream.remote} did not answer: {error.message}") from error
        if done.status == 0:
            return read_tip(tree, upstream.tracking)
        if "couldn't find remote ref" in done.stderr:
            return None
        if "cannot lock ref" not in done.stderr or not left:
            raise failure(done.stderr, upstream.remote)
    raise AssertionError("the last time returns or raises")


def find_dropped(tree: WorkingTree, upstream: Upstream, ours: Oid, theirs: Oid) -> Oid | None:
    """Return the last commit of ``ours`` that the upstream had once and has no longer.

    None where it never went back. By the reflog of the tracking ref (git-merge-base(1),
    ``--fork-point``), as ``git pull --rebase`` does.
    """
    asked = tree.git.run("merge-base", "--fork-point", upstream.tracking, ours, check=False)
    if asked.status != 0:
        return None
    kept = tree.git.run("merge-base", "--is-ancestor", asked.text, theirs, check=False)
    return Oid(asked.text) if kept.status == 1 else None


def push(tree: WorkingTree, upstream: Upstream, commit: Oid) -> bool:
    """Move the branch on the remote forward to ``commit``; False when others were first.

    Never forced: the remote takes it only from a commit that ours contains, by its own
    compare-and-swap. The clone's pre-push hook runs. Raises Refused where that says no,
    HostRefused where the host does, RemoteUnreachable.
    """
    options = ["--set-upstream"] if upstream.fresh else []
    # By the name of a ref where the upstream is to be set: an object id has none.
    source = upstream.ref if upstream.fresh and read_tip(tree, upstream.ref) == commit else commit
    update = RefUpdate(upstream.ref, None, commit)
    try:
        done = tree.git.run(
            *("push", "--porcelain", "--no-recurse-submodules", *options, "--"),
            *(upstream.remote, f"{source}:{upstream.ref}"),
            timeout=_PUSH_PATIENCE,
            check=False,
            env={"BATON_GUARDED": "1"},  # our own hook: whoever calls this has looked
        )
    except GitTimeout as error:
        raise RemoteUnreachable(f"{upstream.remote} did not answer: {error.message}") from error
    fate = parse_push(done.text, [update], said=remote_lines(done.stderr))[upstream.ref]
    if fate.state is PushState.DONE:
        return True
    if fate.state is PushState.REFUSED:
        raise HostRefused(fate.reason, ref=upstream.ref)
    if fate.state in (PushState.STALE, PushState.UNSENT):
        return False
    raise _failed(upstream, done.text, done.stderr)


def _failed(upstream: Upstream, printed: str, said: str) -> BatonError:
    """Return why a push ended without a word about the ref: a hook, or the way to the remote."""
    if "failed to push some refs" in said and "fatal:" not in said:
        words = printable(f"{printed}\n{said.partition('error: failed to push')[0]}".strip())
        return Refused(
            f"the pre-push hook refused{f': {words}' if words else ' and said nothing'}",
            code="hook_failed",
            next="correct what the hook names, then baton sync --push",
        )
    if "--mirror can't be combined with refspecs" in said:
        return Refused(
            f"git pushes to {upstream.remote} everything or nothing: it is set up as a mirror",
            code="mirror",
            next=f"git config --unset remote.{upstream.remote}.mirror, if it shall be an upstream",
        )
    error = failure(said, upstream.remote)
    return error if isinstance(error, BatonError) else GitFailed(["git", "push"], 128, said)
