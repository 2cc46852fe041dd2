"""Asks the tools of this machine for their versions: each once, bounded in time, no shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gitbaton.git.runner import end_group
from gitbaton.plans.toolchain.requirements import Found, Requirement, Verdict, judge
from gitbaton.plans.toolchain.tools import KNOWN, questions, tool_name
from gitbaton.plans.toolchain.versions import read_version

PATIENCE: Final = 20.0  # seconds for one question
_MOST: Final = 64 * 1024  # bytes of an answer that are read
_AT_ONCE: Final = 4


class ToolProbe:
    """The tools as one process sees them with ``env``. Thread-safe.

    ``trusted``: names from this machine's own configuration. A plan comes from elsewhere, and
    must not choose which program runs here: of the tools that it names, only the well-known ones
    and the trusted are asked (I8).
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        trusted: Iterable[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        self._env = dict(env)
        self._trusted = frozenset(trusted)
        self._patience = patience
        self._known: dict[str, Found] = {}
        self._lock = threading.Lock()

    def check(self, required: Mapping[str, Requirement]) -> list[Verdict]:
        """Return whether this machine meets ``required``, tool by tool."""
        return judge(required, self.find(required))

    def find(self, tools: Iterable[str]) -> dict[str, Found]:
        """Return what each of ``tools`` is here. What was asked once is not asked again."""
        wanted = list(tools)
        with self._lock:
            new = [tool for tool in dict.fromkeys(wanted) if tool not in self._known]
            if new:
                with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
                    self._known |= zip(new, pool.map(self._find, new), strict=True)
            return {tool: self._known[tool] for tool in wanted}

    def forget(self) -> None:
        """Ask anew from here on: somebody may have installed what was missing."""
        with self._lock:
            self._known.clear()

    def _find(self, tool: str) -> Found:
        if tool not in KNOWN and tool not in self._trusted:
            return Found(
                None,
                "is not asked for: baton does not know it, and this machine's baton.toml does not "
                "name it",
            )
        tool_name(tool)
        trouble = "is not on PATH"
        for question in questions(tool):
            program = shutil.which(question[0], path=self._env.get("PATH", os.defpath))
            if program is None:
                continue
            found = self._ask([program, *question[1:]])
            if found.version is not None:
                return found
            trouble = found.trouble
        return Found(None, trouble)

    def _ask(self, argv: Sequence[str]) -> Found:
        try:
            process = subprocess.Popen(
                list(argv),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Found(None, f"cannot be run: {error.strerror}")
        with process:
            try:
                out, _ = process.communicate(timeout=self._patience)
            except subprocess.TimeoutExpired:
                end_group(process)
                return Found(None, f"gave no version within {self._patience:g} seconds")
            except BaseException:
                end_group(process)
                raise
        version = read_version(out[:_MOST].decode("utf-8", "replace"))
        if version is None:
            return Found(None, f"names no version (exit status {process.returncode})")
        return Found(version)
