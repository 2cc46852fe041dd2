"""How this clone is set up: which engine holds the records, and where.

Kept in ``<git-common-dir>/baton/settings.json``, written by ``init`` or by the first command that
needs a store. Choosing is a pure rule; reading and writing the file is all the I/O there is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from gitbaton.core.config import StoreSection
from gitbaton.core.errors import BatonError, InvalidInput

FILE_NAME = "settings.json"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The choice that was made for this clone.

    ``target``: the branch that the remote calls its own; None while that is not known.
    """

    format: Literal[1] = 1
    engine: Literal["git", "sqlite"]
    remote: str | None
    target: str | None
    namespace: str = "refs/baton/"
    board: str = "baton"
    live_window: int = 256


def choose_remote(remotes: Sequence[str], *, wanted: str | None = None) -> str | None:
    """Return the remote to coordinate through: the wanted, ``origin``, the only one, or None.

    Raises InvalidInput when ``wanted`` is no remote of this clone, or when there are several and
    none is called ``origin``.
    """
    if wanted is not None:
        if wanted not in remotes:
            there = ", ".join(remotes) or "none"
            raise InvalidInput("remote", f"there is no remote {wanted!r} (there: {there})")
        return wanted
    if "origin" in remotes:
        return "origin"
    if len(remotes) > 1:
        raise InvalidInput(
            "remote",
            f"several remotes and none is called origin: {', '.join(remotes)}",
            next=f"baton init --remote {remotes[0]}",
        )
    return remotes[0] if remotes else None


def make_settings(*, remote: str | None, target: str | None, store: StoreSection) -> Settings:
    """Return the settings for ``remote`` (None: sqlite, on this machine only)."""
    return Settings(
        engine="sqlite" if remote is None else "git",
        remote=remote,
        target=target,
        namespace=store.namespace,
        board=store.board,
        live_window=store.live_window,
    )


def read_settings(state: Path) -> Settings | None:
    """Return what was written to ``state``, None if nothing was; raise BatonError if damaged."""
    path = state / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BatonError(
            f"{path} cannot be read: {error.strerror}", next=f"ls -l {path}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BatonError(f"{path} cannot be read: {error}", next="baton init") from error


def write_settings(state: Path, settings: Settings) -> None:
    """Write ``settings`` whole or not at all; two writers leave the file of one of them."""
    state.mkdir(parents=True, exist_ok=True)
    # Not by tempfile: that makes it this user's alone, and a group may share the clone.
    temporary = state / f"{FILE_NAME}.{os.urandom(8).hex()}"
    try:
        with temporary.open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
        temporary.replace(state / FILE_NAME)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
