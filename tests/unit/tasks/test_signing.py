"""Real signatures by ssh-keygen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import GateClosed
from gitbaton.tasks.signing import sign, verifier, verify


def make_key(room: Path, name: str) -> tuple[Path, str]:
    key = room / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True
    )
    return key, key.with_suffix(".pub").read_text().strip()


def test_only_the_signer_listed_for_the_name_passes(tmp_path: Path) -> None:
    ann, ann_public = make_key(tmp_path, "ann")
    bob, bob_public = make_key(tmp_path, "bob")
    signers = f"ann {ann_public}\nbob {bob_public}\n"
    signature = sign(b"yes", ann)
    check = verifier(signers)
    assert check(b"yes", signature, "ann")
    assert check(b"yes", signature, "ann")
    assert not check(b"no", signature, "ann")
    assert not check(b"yes", signature, "bob")
    assert not check(b"yes", sign(b"yes", bob), "ann")
    assert not check(b"yes", "garbage", "ann")
    assert not check(b"yes", signature, "-Y")
    assert not check(b"yes", signature, "*")
    assert not verify(b"yes", signature, "ann", allowed_signers="")


def test_a_signature_for_another_purpose_does_not_pass(tmp_path: Path) -> None:
    key, public = make_key(tmp_path, "ann")
    made = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(key)],
        input=b"yes",
        capture_output=True,
        check=True,
    )
    assert not verify(b"yes", made.stdout.decode(), "ann", allowed_signers=f"ann {public}\n")


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(GateClosed, match="could not be signed"):
        sign(b"yes", tmp_path / "missing")


def test_without_ssh_keygen_nothing_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GateClosed, match="not installed"):
        verify(b"yes", "SIG", "ann", allowed_signers="ann ssh-ed25519 AAAA")
