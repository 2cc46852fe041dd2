"""Runs the git binary: a clean environment, a bound in time, errors with the whole story."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from gitbaton.core.errors import BatonError, GitFailed

# What a hook, an alias or a wrapper may have left in the environment: it would point our git
# at another repository, index or object store than the one we name.
LEAKING = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
)

# Machine-readable output, no prompt that could hang an unattended worker, no stray writes.
FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
}


class GitTimeout(BatonError):
    """A git command was ended because it took longer than allowed. What it did is not known."""

    code = "git_timeout"
    advice = "the same command again"


class Completed(Struct, frozen=True):
    """A git command that ended: its exit status and what it printed."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """The standard output as text, without the final newline."""
        return self.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def clean_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return ``base`` without what would redirect git, and with what an unattended git needs."""
    env = {name: value for name, value in base.items() if name not in LEAKING}
    env.update(FIXED)
    return env


class Git(Struct, frozen=True):
    """The git binary with a fixed environment, run in ``directory``.

    ``options`` go before every subcommand (e.g. ``--git-dir=…``, ``-c name=value``).
    """

    directory: Path
    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    binary: str = field(default="git")

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        timeout: float | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        inherit: tuple[int, ...] = (),
    ) -> Completed:
        """Run ``git *args`` to its end and return what it said.

        Standard input is empty unless ``stdin`` is given. It gets the descriptors ``inherit``, so
        that locks on them last until it ends. After ``timeout`` seconds the command
        and its helpers (ssh, remote-https) are killed. Raises GitFailed for a non-zero exit when
        ``check``, GitTimeout, and BatonError when git is not installed.
        """
        argv = [self.binary, *self.options, *args]
        try:
            process = subprocess.Popen(
                argv,
                cwd=self.directory,
                env={**self.env, **(env or {})},
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=inherit,
            )
        except FileNotFoundError as error:
            if not self.directory.is_dir():
                raise BatonError(
                    f"{self.directory} is no directory", next="cd to a directory that is there"
                ) from error
            raise BatonError("git is not installed", next="install git 2.31 or newer") from error
        except OSError as error:  # no more processes, memory or files; too many arguments
            raise BatonError(
                f"git could not be started: {error.strerror}", next="git --version"
            ) from error
        with process:
            try:
                out, err = process.communicate(stdin, timeout=timeout)
            except BaseException as error:
                end_group(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise GitTimeout(
                        f"git {args[0]} took longer than {timeout:g}s and was ended"
                    ) from error
                raise
        done = Completed(process.returncode, out, err.decode("utf-8", "replace"))
        if check and done.status != 0:
            raise GitFailed(argv, done.status, done.stderr)
        return done


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill ``process`` and everything in its process group, and wait for it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
