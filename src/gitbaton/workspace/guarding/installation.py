"""Puts our hooks into a clone, after those that are there, and takes them out again.

Where core.hooksPath is not set: beside the hooks in ``.git/hooks``. The one that was there keeps
its content under ``<name>.before-baton``, and is run first. Where it is set (husky, a directory
for the whole machine) nothing is written there: core.hooksPath of this clone leads to a directory
of ours, each of whose hooks runs the one of that name where it was before.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.core.errors import BatonError
from gitbaton.git.repository import Clone
from gitbaton.git.worktrees import erase
from gitbaton.workspace.guarding.recognition import (
    PREVIOUS,
    Previous,
    is_ours,
    read_previous,
    write_prefix,
)
from gitbaton.workspace.guarding.script import GUARDED, SAVED, guard_script, passing_script
from gitbaton.workspace.place import main_top

_KEY: Final = "core.hooksPath"
# Everything that git runs in a clone (githooks(5)); what is not there costs a shell's start.
_ALL: Final = (
    "applypatch-msg",
    "commit-msg",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-merge-commit",
    "pre-rebase",
    "prepare-commit-msg",
    "push-to-checkout",
    "sendemail-validate",
)
# Run so often that they are passed on only where they are there already.
_FREQUENT: Final = ("reference-transaction", "post-index-change", "fsmonitor-watchman")


@dataclass(frozen=True, slots=True)
class Installation:
    """The hooks of ``clone``. ``python``: the interpreter that has gitbaton."""

    clone: Clone
    python: str

    def install(self, *, prefix: str) -> list[Path]:
        """Put in our hooks, or bring them up to date, and return them.

        ``prefix``: of the branches of tasks. May be repeated, and after a kill at any moment: at
        every one of them git finds the hook that was there before. Raises BatonError.
        """
        try:
            write_prefix(self._state, prefix)
            setting = self._setting()
            if setting is None:
                return self._install_beside(prefix)
            return self._install_elsewhere(setting, prefix)
        except OSError as error:
            raise BatonError(
                f"the hooks cannot be written: {error}",
                next="ls -ld of what it names; then baton init --hooks",
            ) from error

    def remove(self) -> list[Path]:
        """Take out our hooks and return what is as before again. May be repeated."""
        try:
            write_prefix(self._state, None)
            return [*self._remove_elsewhere(), *self._remove_beside()]
        except OSError as error:
            raise BatonError(
                f"the hooks cannot be removed: {error}",
                next="ls -ld of what it names; then baton init --no-hooks",
            ) from error

    # --- beside the hooks of the clone

    def _install_beside(self, prefix: str) -> list[Path]:
        made = []
        self._beside.mkdir(exist_ok=True)
        for name in GUARDED:
            hook = self._beside / name
            if os.path.lexists(hook) and not is_ours(hook) and not self._moved(hook):
                _copy(hook, hook.with_name(name + SAVED))
            place = self._moved(hook) or hook
            _write(place, guard_script(name, prefix=prefix, python=self.python, directories=()))
            made.append(place)
        return made

    def _remove_beside(self) -> list[Path]:
        done = []
        for name in GUARDED:
            hook = self._beside / name
            ours = self._moved(hook) or hook
            saved = hook.with_name(name + SAVED)
            if not is_ours(ours):
                continue
            if os.path.lexists(saved):
                os.replace(saved, ours)
            else:
                ours.unlink()
            done.append(ours)
        return done

    def _moved(self, hook: Path) -> Path | None:
        """Return where the pre-commit framework put our hook when it was installed after us."""
        legacy = hook.with_name(f"{hook.name}.legacy")
        return legacy if is_ours(legacy) and not is_ours(hook) else None

    # --- in a directory of our own

    def _install_elsewhere(self, setting: str, prefix: str) -> list[Path]:
        previous = read_previous(self._own)
        if previous is None or setting != str(self._own):
            previous = Previous(setting, self._config("--local"))
        self._own.mkdir(parents=True, exist_ok=True)
        _write(self._own / PREVIOUS, msgspec.json.encode(previous).decode(), mode=0o644)
        there = Path(previous.applied)
        # As git takes it: from the top of the tree that it works in; and as it is in this one.
        directories = tuple(dict.fromkeys((str(there), str(main_top(self.clone) / there))))
        names = [*_ALL, *(n for n in _FREQUENT if os.path.lexists(Path(directories[-1]) / n))]
        for name in names:
            _write(self._own / name, passing_script(name, directories=directories))
        for name in GUARDED:
            text = guard_script(name, prefix=prefix, python=self.python, directories=directories)
            _write(self._own / name, text)
        self.clone.git.run("config", "--local", _KEY, str(self._own))
        return [self._own / name for name in GUARDED]

    def _remove_elsewhere(self) -> list[Path]:
        previous = read_previous(self._own)
        if previous is None:
            return []
        if self._config("--local") == str(self._own):
            if previous.local is None:
                self.clone.git.run("config", "--local", "--unset-all", _KEY)
            else:
                self.clone.git.run("config", "--local", _KEY, previous.local)
        erase(self._own)
        return [Path(previous.applied)]

    # --- where they are

    @property
    def _beside(self) -> Path:
        return self.clone.common / "hooks"

    @property
    def _own(self) -> Path:
        return self._state / "githooks"

    @property
    def _state(self) -> Path:
        return self.clone.common / "baton"

    def _setting(self) -> str | None:
        setting = self._config("--type=path")
        return None if setting is None or Path(setting) == self._beside else setting

    def _config(self, *options: str) -> str | None:
        asked = self.clone.git.run("config", *options, "--get", _KEY, check=False)
        return asked.text if asked.status == 0 else None


def _copy(hook: Path, saved: Path) -> None:
    """Keep ``hook`` as ``saved``: a link as a link, a file with its mode."""
    temporary = saved.with_name(f".{saved.name}.{secrets.token_hex(4)}")
    shutil.copy2(hook, temporary, follow_symlinks=False)
    os.replace(temporary, saved)


def _write(path: Path, text: str, *, mode: int = 0o755) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
    temporary.chmod(mode)
    os.replace(temporary, path)
