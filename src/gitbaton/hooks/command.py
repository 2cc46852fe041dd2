"""Runs a hook's command: the event on its standard input, no shell, a bound in time."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from gitbaton.git.runner import end_group
from gitbaton.git.sharing import users_umask
from gitbaton.hooks.event import Event, encode_event, environment_of
from gitbaton.hooks.failure import DeliveryFailed
from gitbaton.hooks.hook import Command

_TAIL: Final = 500  # bytes of its last words that are kept


def run_command(
    command: Command,
    event: Event,
    *,
    timeout: float,
    env: Mapping[str, str],
    directory: Path,
) -> None:
    """Run ``command`` to its end. Raises DeliveryFailed unless it exits with 0 in time.

    What it started in its own process group is ended with it when it takes too long.
    """
    # Files, not pipes: a child that it leaves behind must not keep us waiting for the end of one.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(encode_event(event) + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(
                list(command.argv),
                cwd=directory,
                env={**_without_claim(env), **environment_of(event)},
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=users_umask(),
            )
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            raise DeliveryFailed(f"{command.argv[0]}: {words}", lasting=True) from error
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise DeliveryFailed(f"it took longer than {timeout:g} seconds") from error
        finally:
            if process.poll() is None:
                end_group(process)
        if status != 0:
            raise DeliveryFailed(f"exit status {status}: {_last_words(said)}")


def _without_claim(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without what speaks of a claim: a hook is nobody's agent."""
    return {name: value for name, value in env.items() if not name.startswith("BATON_")}


def _last_words(said: IO[bytes]) -> str:
    size = said.seek(0, 2)
    said.seek(max(size - _TAIL, 0))
    return " ".join(said.read().decode("utf-8", "replace").split()) or "it said nothing"
