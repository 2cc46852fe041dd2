"""A clone that its owner is in the middle of using, and claims made beside it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import ManualClock
from gitbaton.core.ids import Nonce, Oid
from gitbaton.core.process import Process
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.model import Actor
from gitbaton.work.leftovers import Leftovers, save_leftovers
from gitbaton.work.worktree import ClaimWorktree, Need

AGENT = Actor("laptop/w1#1", "w1@laptop.invalid")
US = Process(pid=os.getpid(), start="now", origin="here")
THROW_AWAY = ("node_modules/", "__pycache__/", "*.pyc")

HOOK = '#!/bin/sh\ntouch "$(git rev-parse --git-common-dir)/hook-ran"\nexit {status}\n'
HOOKS = ("pre-commit", "commit-msg", "post-checkout", "post-commit", "pre-merge-commit")


@dataclass
class Desk:
    """The user's clone at ``top``, its coordination repository, and one clock."""

    top: Path
    repo: CoordinationRepository
    clock: ManualClock
    base: Oid

    @property
    def directory(self) -> Path:
        return self.top.with_name(self.top.name + ".baton") / "worktrees"

    def claim(
        self,
        task: str = "task-1",
        *,
        epoch: int = 1,
        base: Oid | None = None,
        needs: tuple[Need, ...] = (),
        owner: Process = US,
    ) -> ClaimWorktree:
        return ClaimWorktree.create(
            self.repo,
            self.directory,
            task=task,
            epoch=epoch,
            nonce=Nonce("0" * 32),
            owner=owner,
            base=base or self.base,
            needs=needs,
            actor=AGENT,
            clock=self.clock,
        )

    def save(self, claim: ClaimWorktree) -> Leftovers:
        return save_leftovers(claim, message="Work of the agent", agent=AGENT, clock=self.clock)

    def commit(self, parent: Oid, changes: dict[str, str | None], message: str = "Change") -> Oid:
        """Make a commit in the coordination repository, as one that was fetched."""
        with_worktree = self.claim("maker", epoch=self.made() + 1, base=parent)
        for name, text in changes.items():
            path = with_worktree.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        agent(with_worktree, f"git add -A && git commit -q --no-verify -m '{message}'")
        return Oid(git(with_worktree.path, "rev-parse", "HEAD"))

    def made(self) -> int:
        return len(list((self.repo.path / "claims").glob("maker-e*")))

    def show(self, commit: str, path: str) -> str:
        """Return the content of ``path`` in ``commit``, as the coordination repository has it."""
        return self.repo.git.run("show", f"{commit}:{path}").text

    def files(self, commit: str) -> set[bytes]:
        listed = self.repo.git.run("ls-tree", "-r", "-z", "--name-only", commit).stdout
        return set(listed.split(b"\0")) - {b""}

    def log(self, *words: str) -> list[str]:
        return self.repo.git.run("log", *words).text.split("\n")


def agent(claim: ClaimWorktree, script: str, *, status: int = 0) -> str:
    """Run ``script`` in the worktree as an agent would; return what it printed."""
    done = subprocess.run(
        ["bash", "-ec", script], cwd=claim.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def git(directory: Path, *words: str) -> str:
    """Run git as a person in ``directory``."""
    done = subprocess.run(
        ["git", *words], cwd=directory, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def make_desk(area: Path) -> Desk:
    """Make a clone with staged, unstaged, stashed and untracked work, and hooks that refuse."""
    origin, top = area / "origin.git", area / "clone"
    git(area, "init", "--quiet", "--bare", str(origin))
    git(area, "clone", "--quiet", str(origin), str(top))
    (top / "docs").mkdir()
    for name, text in {
        "README.md": "one\ntwo\nthree\n",
        "docs/page.md": "page\n",
        "tool.sh": "#!/bin/sh\n",
        ".gitignore": "node_modules/\n__pycache__/\n*.log\n.env\n/vendor/\n",
    }.items():
        (top / name).write_text(text)
    git(top, "add", "-A")
    git(top, "commit", "--quiet", "-m", "Begin")
    git(top, "push", "--quiet", "origin", "HEAD")
    base = Oid(git(top, "rev-parse", "HEAD"))
    (top / "README.md").write_text("stashed\n")
    git(top, "stash", "push", "--quiet")
    (top / "docs/page.md").write_text("staged\n")
    git(top, "add", "docs/page.md")
    (top / "docs/page.md").write_text("staged, then edited\n")
    (top / "mine.txt").write_text("untracked\n")
    for hook in HOOKS:
        path = top / ".git" / "hooks" / hook
        path.write_text(HOOK.format(status=int(hook != "post-checkout")))
        path.chmod(0o755)
    repo = CoordinationRepository.open(Clone.find(top, os.environ))
    return Desk(top, repo, ManualClock(), base)
