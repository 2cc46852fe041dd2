"""The clone, and the coordination repository that lives beside its refs without touching them.

``<git-common-dir>/baton/`` is a bare repository with the clone's objects as alternates. All record
objects, all pushes and all agent worktrees belong to it, so the user's refs, index, configuration,
stash and locks are never touched (docs/design/coordination-repository.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from gitbaton.core.errors import BatonError, GitFailed
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.objects import Format
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.promises import has_promises, promise_options, write_promises
from gitbaton.git.runner import Git, clean_environment
from gitbaton.git.setting import format_setting
from gitbaton.git.sharing import private_mode

MINIMUM_GIT = (2, 31)
ORIGINAL = "baton-original"  # in a replica: the working tree that it is a replica of
_REMEMBERED = 10_000  # answers about ancestors

# Of the clone's own configuration, what says how that clone is stored rather than how its owner
# works. Everything else (identity, credentials, URLs, filters, signing) applies to us as well.
_STORAGE_KEYS = re.compile(
    r"core\.(bare|worktree|repositoryformatversion|logallrefupdates|sparsecheckout.*|fsmonitor"
    r"|untrackedcache|splitindex|hookspath)"
    r"|(extensions|gc|maintenance|branch|include|includeif|fetch|receive|transfer|index|feature"
    r"|push|baton)\..*"
    r"|remote\..*\.(fetch|push|mirror|tagopt|prune|prunetags|promisor|partialclonefilter"
    r"|skipfetchall|skipdefaultupdate)"
)
_MISUSED = re.compile(r"^\s*(worktree\s*=|bare\s*=\s*false)", re.IGNORECASE | re.MULTILINE)


class Clone(Struct, frozen=True):
    """The user's repository: where it is, and git running in it."""

    top: Path  # of the work tree; the git directory itself where there is none
    common: Path  # the git directory that all its worktrees share
    git: Git
    format: Format

    @staticmethod
    def find(directory: Path, env: Mapping[str, str]) -> Clone:
        """Return the repository that ``directory`` is in. Raises BatonError outside of one.

        Agents work in worktrees of the coordination repository: theirs is the clone beside it.
        Hooks of a commit run in a replica of the clone (git/replica.py): theirs is the original.
        """
        git = Git(directory, clean_environment(env))
        asked = git.run(
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
            "--show-object-format",
            "--is-bare-repository",
            check=False,
        )
        if asked.status != 0:
            from gitbaton.git.outside import explain_outside  # only on the way out

            raise explain_outside(
                asked.stderr,
                directory,
                wanted="a git repository",
                next="git init, or baton -C DIR",
            )
        common, hashed, bare = asked.text.split("\n")
        if hashed not in ("sha1", "sha256"):
            raise BatonError(
                f"object format {hashed!r} is not supported",
                next="git rev-parse --show-object-format",
            )
        if is_coordination(Path(common)):
            return Clone.find(Path(common).parent, env)
        if (Path(common) / ORIGINAL).is_file():
            return Clone.find(Path(os.fsdecode((Path(common) / ORIGINAL).read_bytes())), env)
        top = Path(common)
        if bare == "false":
            shown = git.run("rev-parse", "--show-toplevel", check=False)
            top = Path(shown.text) if shown.status == 0 and shown.text else Path(common).parent
        return Clone(
            top=top,
            common=Path(common),
            git=Git(top, git.env),
            format="sha1" if hashed == "sha1" else "sha256",
        )

    def remotes(self) -> list[str]:
        """Return the names of the clone's remotes."""
        return [name for name in self.git.run("remote").text.split("\n") if name]


class CoordinationRepository:
    """The bare repository at ``<git-common-dir>/baton/``."""

    def __init__(self, clone: Clone, path: Path) -> None:
        self.clone = clone
        self.path = path
        options = (
            f"--git-dir={path}",
            *("-c", "core.hooksPath=/dev/null"),
            *("-c", "gc.auto=0"),
            # What a fetch brings appears whole, as one pack: unpacked into loose objects, a
            # commit is there before its trees, and others would take it for complete.
            *("-c", "fetch.unpackLimit=1"),
        )
        promised = promise_options(path)
        # Where git resolves a remote's relative path.
        self.git = Git(clone.top, clone.git.env, (*options, *promised))
        self.is_partial = bool(promised)  # whether the clone is (git/promises.py)
        self._ancestry: dict[tuple[str, str], bool] = {}
        self.objects = ObjectStore(Git(clone.top, clone.git.env, options), path, clone.format)

    @staticmethod
    def open(clone: Clone) -> CoordinationRepository:
        """Return the clone's coordination repository; make it if there is none yet.

        Safe when several processes do so at once, and when one is killed half way.
        """
        path = clone.common / "baton"
        repository = CoordinationRepository(clone, path)
        if not (path / "ready").exists():
            from filelock import FileLock  # 20 ms: paid once in a clone's life

            path.mkdir(exist_ok=True)
            with FileLock(path / "setup.lock", timeout=60):
                if not (path / "ready").exists():
                    repository._create()
        repository._follow_clone()
        return CoordinationRepository(clone, path)  # what it has taken over decides about it

    def close(self) -> None:
        """End the processes that read from it."""
        self.objects.close()

    def remember(self, name: str, oid: str) -> None:
        """Keep ``oid`` under the private ref ``refs/seen/<name>``, so that fetches build on it.

        Best effort: another process may be writing the same ref.
        """
        if self.remembered(name) != oid:
            self.git.run("update-ref", f"refs/seen/{name}", oid, check=False)

    def remembered(self, name: str) -> Oid | None:
        """Return what ``remember`` kept last under this name, None if nothing was."""
        try:  # most commands ask for it: reading the file spares them a process
            text = (self.path / "refs" / "seen" / name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            text = ""
        if is_oid(text):
            return Oid(text)
        # Packed, or kept in another way.
        asked = self.git.run("rev-parse", "--verify", "--quiet", f"refs/seen/{name}", check=False)
        return Oid(asked.text) if asked.status == 0 else None

    def forget_seen(self) -> None:
        """Forget all that ``remember`` has kept: what comes now is of another remote."""
        listed = self.git.run("for-each-ref", "--format=delete %(refname)", "refs/seen/")
        if listed.text:
            self.git.run("update-ref", "--stdin", stdin=listed.text.encode() + b"\n")

    def is_ancestor(self, commit: str, tip: str) -> bool:
        """Tell whether ``commit`` is ``tip`` or among its ancestors.

        Raises GitFailed when git cannot tell (an object is not here): that is not a "no". An
        answer never changes (both are full object ids), so it is remembered.
        """
        known = self._ancestry.get((commit, tip))
        if known is None:
            asked = self.git.run("merge-base", "--is-ancestor", commit, tip, check=False)
            if asked.status > 1 or asked.status < 0:
                raise GitFailed(["git", "merge-base"], asked.status, asked.stderr)
            known = asked.status == 0
            if not self.objects.is_shallow:  # there a history may still get longer
                if len(self._ancestry) >= _REMEMBERED:
                    self._ancestry.clear()
                self._ancestry[commit, tip] = known
        return known

    def files(self, commit: str) -> list[str]:
        """Return the paths of all files in ``commit``. Raises GitFailed."""
        listed = self.git.run("ls-tree", "-r", "-z", "--name-only", commit)
        return [path for path in listed.text.split("\0") if path]

    def keep(self, name: str, oid: str) -> None:
        """Keep the commit ``oid`` and all its history whatever happens to the clone.

        Objects that are only borrowed from the clone are copied first: its ``git gc`` does not
        know of us. Then ``refs/kept/<name>`` names the commit. Raises GitFailed.
        """
        # All but what the remotes' default branches hold: those are not deleted, others are, and
        # a kept commit whose ancestors are gone can be pushed nowhere.
        tracked = self.clone.git.run(
            "for-each-ref", "--format=^%(objectname)", "refs/remotes/*/HEAD"
        )
        # Options in the input came with git 2.42, so the kept refs are named as arguments.
        listing = self.git.run(
            *("rev-list", "--objects", "--no-object-names", "--stdin", "--not"),
            "--glob=refs/kept/*",
            stdin=f"{oid}\n{tracked.text}\n".encode(),
        )
        if listing.stdout:
            packed = self.git.run("pack-objects", "--stdout", "-q", stdin=listing.stdout)
            self.git.run("index-pack", "--stdin", stdin=packed.stdout)
        self.git.run("update-ref", f"refs/kept/{name}", oid)

    def release(self, name: str) -> None:
        """Forget ``refs/kept/<name>``; its objects stay until they are pruned."""
        self.git.run("update-ref", "-d", f"refs/kept/{name}", check=False)

    def kept(self) -> dict[str, str]:
        """Return what is kept: name -> commit."""
        shown = self.git.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/kept/")
        pairs = (line.split(" ") for line in shown.text.split("\n") if line)
        return {ref.removeprefix("refs/kept/"): oid for ref, oid in pairs}

    def _create(self) -> None:
        _require_git(self.clone.git)
        self.clone.git.run(
            "init",
            "--quiet",
            "--bare",
            "--template=",
            f"--object-format={self.clone.format}",
            str(self.path),
        )
        info = self.path / "objects" / "info"
        info.mkdir(parents=True, exist_ok=True)
        # Relative, so that the clone may be moved: from baton/objects to the clone's objects.
        (info / "alternates").write_text("../../objects\n")
        for name, value in (
            ("include.path", "clone.config"),
            ("gc.auto", "0"),
            ("gc.pruneExpire", "never"),  # agents may run `git gc`; records have no refs here
            ("gc.worktreePruneExpire", "never"),
            ("maintenance.auto", "false"),
            ("core.logAllRefUpdates", "false"),
            ("advice.detachedHead", "false"),
        ):
            self.git.run("config", name, value)
        self._copy_settings()
        (self.path / "ready").touch()

    def _follow_clone(self) -> None:
        """Take over what changed in the clone's configuration since we last looked.

        An agent's ``git config`` writes into our own file: what would make this repository
        another one is taken out again.
        """
        if _MISUSED.search((self.path / "config").read_text(errors="replace")):
            self.git.run("config", "--unset-all", "core.worktree", check=False)
            self.git.run("config", "--replace-all", "core.bare", "true")
        ours, theirs = self.path / "clone.config", self.clone.common / "config"
        self._follow_shallow()
        try:
            current = ours.stat().st_mtime_ns >= theirs.stat().st_mtime_ns
            if current and has_promises(self.path) is not None:
                return
        except FileNotFoundError:
            pass
        self._copy_settings()

    def _follow_shallow(self) -> None:
        """Let our history end where the clone's does: what lies beyond is in neither.

        It may end in other places too, where we have fetched a part of a history ourselves. So what
        we took over from the clone is noted, and only that follows it.
        """
        copy, noted = self.path / "shallow", self.path / "shallow.clone"
        theirs = _lines(self.clone.common / "shallow")
        before = _lines(noted)
        if theirs == before:
            return
        ours = (_lines(copy) - before) | theirs
        for path, lines in ((copy, ours), (noted, theirs)):
            if not lines:
                path.unlink(missing_ok=True)
                continue
            temporary = path.with_name(f"{path.name}.{os.getpid()}")
            temporary.write_bytes(b"".join(sorted(lines)))
            temporary.replace(path)

    def _copy_settings(self) -> None:
        listed = self.clone.git.run("config", "--local", "--includes", "--null", "--list")
        lines = ["# Made from the clone's configuration by gitbaton; changes here are lost.\n"]
        text = listed.stdout.decode("utf-8", "surrogateescape")
        for item in text.split("\0"):
            name, separator, value = item.partition("\n")
            if name and not _STORAGE_KEYS.fullmatch(name.lower()):
                lines.append(format_setting(name, value if separator else None))
        named = (item.partition("\n") for item in text.split("\0") if item)
        lines += write_promises(self.path, ((n, v if found else None) for n, found, v in named))
        # Agents commit in worktrees of ours: the clone's hooks guard those commits too.
        hooks = self.clone.git.run("rev-parse", "--path-format=absolute", "--git-path", "hooks")
        lines.append(format_setting("core.hookspath", hooks.text))
        temporary = self.path / f"clone.config.{os.getpid()}"
        temporary.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        # May hold credentials (http.extraHeader), as the original does.
        temporary.chmod(private_mode())
        temporary.replace(self.path / "clone.config")
        (self.path / "info").mkdir(exist_ok=True)
        for file in ("exclude", "attributes"):
            source = self.clone.common / "info" / file
            if source.is_file():
                import shutil  # only when the repository is made

                shutil.copyfile(source, self.path / "info" / file)


def is_coordination(common: Path) -> bool:
    """Tell whether a git directory is a coordination repository inside of a clone's."""
    beside = ((common / "ready").is_file(), (common.parent / "HEAD").is_file())
    return common.name == "baton" and all(beside) and (common.parent / "objects").is_dir()


def _lines(path: Path) -> frozenset[bytes]:
    """Return the lines of a file, none where there is no file."""
    return frozenset(path.read_bytes().splitlines(keepends=True) if path.is_file() else ())


def _require_git(git: Git) -> None:
    shown = git.run("version").text
    found = re.search(r"(\d+)\.(\d+)", shown)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GIT:
        raise BatonError(
            f"git 2.31 or newer is needed, found: {shown}",
            next="upgrade git and try again",
        )
