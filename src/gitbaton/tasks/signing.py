"""Signatures of approvals, by ``ssh-keygen -Y`` (ssh-keygen(1), the format git signs with)."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gitbaton.core.errors import GateClosed

NAMESPACE: Final = "gitbaton"  # a signature made for anything else (a git commit) is not taken
_PATIENCE: Final = 60.0  # seconds; signing may wait for a passphrase or a touch on a token


def sign(payload: bytes, key: Path) -> str:
    """Return the signature of ``payload`` by the private key (or agent-held public key) ``key``.

    Raises GateClosed when ssh-keygen is missing, fails or takes too long.
    """
    done = _keygen(["sign", "-n", NAMESPACE, "-f", str(key)], payload)
    if done.returncode != 0:
        raise GateClosed(
            f"the approval could not be signed: {_words(done)}", next="git config user.signingKey"
        )
    return done.stdout.decode("ascii", "replace")


def verify(payload: bytes, signature: str, signer: str, *, allowed_signers: str) -> bool:
    """Tell whether ``signature`` of ``payload`` is by a key that the text lists for ``signer``.

    ``allowed_signers``: as in ssh-keygen(1), ALLOWED SIGNERS. Raises GateClosed when that cannot
    be found out.
    """
    if not signer or signer.startswith("-"):
        return False
    with tempfile.TemporaryDirectory(prefix="gitbaton-") as room:  # mode 0700
        signers = _write(Path(room, "allowed_signers"), allowed_signers)
        proof = _write(Path(room, "signature"), signature)
        question = ["verify", "-n", NAMESPACE, "-f", signers, "-I", signer, "-s", proof]
        return _keygen(question, payload).returncode == 0


def verifier(allowed_signers: str) -> Callable[[bytes, str, str], bool]:
    """Return ``verify`` under this list of signers; an answer once found is remembered."""

    @functools.lru_cache(maxsize=1024)
    def check(payload: bytes, signature: str, signer: str) -> bool:
        return verify(payload, signature, signer, allowed_signers=allowed_signers)

    return check


def _keygen(words: Sequence[str], payload: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *words],
            input=payload,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except FileNotFoundError as error:
        raise GateClosed("ssh-keygen is not installed here", next="install OpenSSH") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GateClosed(
            f"ssh-keygen gave no answer: {error}", next="the same command again"
        ) from error


def _write(path: Path, text: str) -> str:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8", "replace").strip()[-500:] or f"status {done.returncode}"
