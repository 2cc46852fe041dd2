"""What this machine is, as far as it matters to the figures."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from benchmarks.document import Machine
from benchmarks.lab.daemons import ROOT

_OTHER_TOOLS = ("bd", "git-bug", "task-master", "backlog", "claude-flow")
_SERVERS = {
    "sshd": ("ssh", "-V"),
    "nginx": ("nginx", "-v"),
    "redis": ("redis-server", "--version"),
}


def describe_machine() -> Machine:
    """Look around."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gib=round(memory, 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        git=_first_line("git", "--version").removeprefix("git version "),
        gitbaton=_first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        servers={name: _first_line(*words) for name, words in _SERVERS.items() if _has(words[0])},
        tools={name: shutil.which(name) for name in _OTHER_TOOLS},
    )


def load() -> float:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _has(program: str) -> bool:
    return shutil.which(program) is not None


def _first_line(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines and done.returncode == 0 else "unknown"
