"""What core.sharedRepository does to the umask."""

from __future__ import annotations

import pytest

from gitbaton.git import sharing
from gitbaton.git.sharing import grant, widen


@pytest.mark.parametrize(
    ("umask", "setting", "wide"),
    [
        (0o022, "group", 0o002),
        (0o077, "1", 0o007),
        (0o027, "true", 0o007),
        (0o077, "all", 0o002),
        (0o022, "WORLD", 0o002),
        (0o077, "2", 0o002),
        (0o022, "umask", 0o022),
        (0o022, "false", 0o022),
        (0o022, "", 0o022),
        (0o022, "nonsense", 0o022),
        # A number says all of it, whatever the umask is.
        (0o022, "0660", 0o007),
        (0o000, "0640", 0o027),
        (0o077, "0664", 0o002),
    ],
)
def test_widening(umask: int, setting: str, wide: int) -> None:
    assert widen(umask, setting) == wide


@pytest.mark.parametrize(
    ("setting", "mode", "shared"),
    [
        ("group", 0o660, True),
        ("all", 0o660, True),
        ("0640", 0o640, True),
        ("0600", 0o600, False),
        ("false", 0o600, False),
        ("umask", 0o600, False),
        ("nonsense", 0o600, False),
    ],
)
def test_what_may_hold_a_secret(
    monkeypatch: pytest.MonkeyPatch, setting: str, mode: int, shared: bool
) -> None:
    """A setting that gives the group nothing, or only reading, gives it no more of ours."""
    monkeypatch.setattr(sharing, "_granted", grant(setting))
    assert sharing.private_mode() == mode
    assert sharing.is_sharing() is shared
