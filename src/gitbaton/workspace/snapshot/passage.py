"""One passage of a commit through its hooks: in order, on a checkout that is right each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.changes import Choice
from gitbaton.workspace.snapshot.checkout import Checkout
from gitbaton.workspace.snapshot.fixes import Fixes
from gitbaton.workspace.snapshot.hooks import HookDirectory
from gitbaton.workspace.snapshot.occupancy import Occupation, occupy
from gitbaton.workspace.snapshot.place import Place
from gitbaton.workspace.snapshot.proposal import (
    CORRECT,
    Checked,
    HookFailed,
    HookSettings,
    Proposal,
)
from gitbaton.workspace.snapshot.running import (
    HookNotStarted,
    HookTimeout,
    Output,
    hook_environment,
    run_hook,
)

_MESSAGE: Final = ".git/COMMIT_EDITMSG"  # the name that git gives to the hooks
_LONGER: Final = "let it be quicker, or give it longer: hook_timeout under [commit] in baton.toml"
_LOOK: Final = "see that it is there, executable, and that the program in its first line is"


class Passage:
    """The hooks of ``proposal``, run one after the other."""

    def __init__(
        self,
        tree: WorkingTree,
        proposal: Proposal,
        *,
        directory: Path,
        clock: Clock,
        env: Mapping[str, str],
        hooks: HookDirectory,
        settings: HookSettings,
        tell: Callable[[bytes], None],
    ) -> None:
        self._proposal, self._hooks, self._settings = proposal, hooks, settings
        self._tree, self._place = tree, Place.of(tree, directory)
        self._output = Output(tell, cap=settings.cap)
        self._fixes = Fixes(tree, self._place)
        self._checkout = Checkout(
            tree, self._place, env=env, links=settings.links, tell=self._output.write
        )
        self._clock, self._env = clock, env
        self._dropped: set[bytes] = set()

    def check(self, names: Sequence[str]) -> Checked:
        """Run the hooks ``names``, all before the commit. Raises HookFailed."""
        content, message = self._proposal.tree, self._proposal.message
        with self._ready(content) as (occupation, env):
            if "pre-commit" in names:
                content = self._check_content(occupation, env)
                if len(names) > 1 and (content != self._proposal.tree or self._dropped):
                    self._show(content)
            for name in names:
                if name != "pre-commit":
                    message = self._check_message(name, message, occupation, env)
        changed = content != self._proposal.tree
        return Checked(
            tree=content,
            message=message,
            output=self._output.content(),
            fixes=self._fixes.compare(self._proposal.tree, content) if changed else (),
            dropped=tuple(sorted(self._dropped)),
            ran=tuple(names),
        )

    def follow(self, names: Sequence[str]) -> bytes:
        """Run the hooks ``names``, all after the commit; return what they printed."""
        with self._ready(self._proposal.tree) as (occupation, env):
            for name in names:
                try:
                    status = self._run(name, (), occupation, env)
                except HookFailed as failed:
                    self._output.write(f"[baton: {failed.message}]\n".encode())
                else:
                    if status:
                        self._output.write(
                            b"[baton: the %s hook failed (exit status %d); the commit is made]\n"
                            % (name.encode(), status)
                        )
        return self._output.content()

    def _check_content(self, occupation: Occupation, env: Mapping[str, str]) -> Oid:
        """Run pre-commit and return the tree that it let pass."""
        name, content = "pre-commit", self._proposal.tree
        status = self._run(name, (), occupation, env)
        choice = self._read(content, name)
        if status and choice.is_empty:
            raise self._refused(name, status)
        if choice.is_empty:
            return content
        fixed = self._fixes.apply(choice)
        if status:
            # It refused and corrected. Run on its own corrections, it says whether that was all.
            if not self._settings.accept_fixes or fixed == content:
                raise self._refused(name, status)
            self._show(fixed)
            self._output.write(b"[baton: pre-commit fixed files; it is run again on the fixes]\n")
            self._demand(name, (), occupation, env)
            fixed = self._fixes.apply(self._read(fixed, name))
        return fixed

    def _check_message(
        self, name: str, message: bytes, occupation: Occupation, env: Mapping[str, str]
    ) -> bytes:
        """Run the hook ``name`` on ``message`` and return what it made of it."""
        extra = self._proposal.source if name == "prepare-commit-msg" else ()
        file = self._place.files / _MESSAGE
        try:
            file.write_bytes(message)
            self._demand(name, (_MESSAGE, *extra), occupation, env)
            return file.read_bytes()
        except OSError as error:
            raise self._failed(name, f"left no message: {error.strerror}") from error

    def _read(self, content: Oid, name: str) -> Choice:
        try:
            choice = self._fixes.read(content, self._proposal.paths)
        except (BatonError, OSError) as error:
            raise self._failed(name, f"left the checkout unreadable: {error}") from error
        self._dropped |= set(choice.dropped)
        return choice

    def _demand(
        self, name: str, args: Sequence[str], occupation: Occupation, env: Mapping[str, str]
    ) -> None:
        status = self._run(name, args, occupation, env)
        if status:
            raise self._refused(name, status)

    def _run(
        self, name: str, args: Sequence[str], occupation: Occupation, env: Mapping[str, str]
    ) -> int:
        try:
            return run_hook(
                [self._hooks.command(name), *args],
                directory=self._place.files,
                env=env,
                output=self._output,
                timeout=self._settings.timeout,
                occupation=occupation,
            )
        except HookTimeout as error:
            reason = f"took longer than {self._settings.timeout:g} s and was ended"
            raise self._failed(name, reason, next=_LONGER) from error
        except HookNotStarted as error:
            reason = f"could not be started: {error}"
            raise self._failed(name, reason, next=_LOOK) from error

    def _refused(self, name: str, status: int) -> HookFailed:
        return self._failed(name, f"refused the commit (exit status {status})", status)

    def _failed(
        self, name: str, reason: str, status: int | None = None, *, next: str = CORRECT
    ) -> HookFailed:
        return HookFailed(name, reason, status=status, output=self._output.content(), next=next)

    @contextmanager
    def _ready(self, content: Oid) -> Iterator[tuple[Occupation, Mapping[str, str]]]:
        """Give a checkout of ``content`` to run hooks in, and their environment."""
        with occupy(self._place, self._clock) as occupation:
            self._show(content)
            yield (
                occupation,
                hook_environment(
                    self._env,
                    self._tree,
                    identity=self._proposal.identity,
                    prefix=self._proposal.prefix,
                ),
            )

    def _show(self, content: Oid) -> None:
        self._checkout.show(
            content,
            head=self._proposal.head,
            branch=self._proposal.branch,
            install=self._hooks.install,
        )
