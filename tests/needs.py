"""What a test needs from the machine: there, or a skip on a desk and a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def needs(part: str) -> None:
    """Return if ``part``, a key of ``_CHECKS``, is installed; else skip, in CI fail."""
    reason = missing(part)
    if reason is None:
        return
    import pytest  # here: servers and oracles use this module without it

    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"CI must have {part}: {reason}")
    pytest.skip(reason)


def missing(part: str) -> str | None:
    """Return why ``part`` cannot be used here; None if it can."""
    return _CHECKS[part]()


def sshd_binary() -> str | None:
    """Return the path of sshd. It must be absolute: sshd runs itself again."""
    return shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")


def http_backend() -> Path:
    """Return where git keeps its CGI program for smart HTTP."""
    asked = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    return Path(asked.stdout.strip()) / "git-http-backend"


def _sshd() -> str | None:
    absent = [tool for tool in ("ssh", "ssh-keygen") if shutil.which(tool) is None]
    if sshd_binary() is None:
        absent.append("sshd")
    return (
        f"not installed: {', '.join(absent)} (openssh-server, openssh-client)" if absent else None
    )


def _backend() -> str | None:
    path = http_backend()
    return None if path.is_file() else f"{path} is not installed (it comes with git)"


def _openssl() -> str | None:
    return None if shutil.which("openssl") else "openssl is not installed"


def _namespaces() -> str | None:
    absent = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (iproute2, util-linux; Linux only)"
    # All that a network takes: the administrator's rights, and a kernel with bridges and cables.
    making = "ip link add name hub type bridge && ip link add name near type veth peer name far"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "sh", "-c", making],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip() or None if tried.returncode else None


def _containers() -> str | None:
    tried = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip() or "unshare failed" if tried.returncode else None


def _numbered() -> str | None:
    there = Path("/proc/self/ns/pid").exists()
    return None if there else "no /proc/self/ns/pid (Linux only)"


def _mounts() -> str | None:
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip() or "mount failed" if tried.returncode else None


def hook_framework(name: str) -> Path:
    """Return where the hook framework ``name`` is: beside the interpreter that runs the tests."""
    return Path(sys.executable).with_name(name)


def _framework(name: str) -> Callable[[], str | None]:
    return lambda: None if hook_framework(name).is_file() else f"{name} is not installed"


_CHECKS: Mapping[str, Callable[[], str | None]] = {
    "sshd": _sshd,
    "namespaces": _namespaces,
    "containers": lambda: _containers() if shutil.which("unshare") else "no unshare (util-linux)",
    "mounts": lambda: _mounts() if shutil.which("unshare") else "no unshare (util-linux)",
    "full-device": lambda: None if Path("/dev/full").exists() else "there is no /dev/full here",
    "numbered-namespaces": _numbered,
    "http-backend": _backend,
    "openssl": _openssl,
    "pre-commit": _framework("pre-commit"),
    "prek": _framework("prek"),
}
