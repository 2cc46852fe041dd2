"""The stage of the tour: one directory with a bare remote, the clones, and an environment."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitbaton.core.errors import BatonError

MARK: Final = "BATON_DEMO_RUN"
PATIENCE: Final = 60.0  # seconds for one command
MACHINES: Final = ("laptop-A", "laptop-B", "laptop-C")
DESK: Final = "desk"  # the clone of the person who looks on
_FOREIGN: Final = ("GIT_", "BATON_", "SSH_", "XDG_")
_VILLAGE: Final = Path(__file__).parent / "village"

_GITCONFIG: Final = """\
[init]
\tdefaultBranch = main
[protocol "file"]
\tallow = always
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
"""

_BATON_TOML: Final = """\
# A fleet in a hurry: real ones keep the defaults.
[queue]
lease = "4s"
backoff = "1s"
backoff_limit = "2s"
max_attempts = 20
"""

# What a slow link does: the landing that `tour/hold` names has arrived and is kept waiting.
_SLOW_LINK: Final = """\
#!/bin/sh
[ -e tour/hold ] || exit 0
pushed=$(cat)
read -r wanted < tour/hold || exit 0
case "$pushed " in *" $wanted"*) ;; *) exit 0 ;; esac
case "$pushed " in *" refs/heads/main"*) ;; *) exit 0 ;; esac
mv tour/hold tour/held 2> /dev/null || exit 0
printf '%s\\n' "$pushed" > tour/draft && mv tour/draft tour/arrived
tries=0
while [ -e tour/held ] && [ "$tries" -lt 1200 ]; do sleep 0.1; tries=$((tries + 1)); done
"""


class TourFailed(BatonError):
    """Something in the tour did not go as promised."""

    code = "demo_failed"
    advice = "baton demo --keep, to look around"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it said."""

    words: Sequence[str]
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output. Raises TourFailed when there is none."""
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise TourFailed(f"{self}: no JSON: {self.out[:200]!r}") from error

    def __str__(self) -> str:
        return f"{shlex.join(self.words)} ended with {self.status}"


class Stage:
    """The directory ``root`` and everything in it. ``env``: of the person who runs the tour."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root = root
        self.hub = root / "hub.git"
        self.env = _environment(env, root)

    def build(self) -> None:
        """Make the remote with a small project on it, and the clones."""
        for name in ("hesitate", "ledger", "logs", "homes"):
            (self.root / name).mkdir()
        (self.root / "gitconfig").write_text(_GITCONFIG, encoding="utf-8")
        shutil.copy(_VILLAGE / "agent.py", self.root)
        self.git(self.root, "init", "-q", "--bare", "--template=", "-b", "main", str(self.hub))
        (self.hub / "tour").mkdir()
        (self.hub / "hooks").mkdir(exist_ok=True)
        hook = self.hub / "hooks" / "pre-receive"
        hook.write_text(_SLOW_LINK, encoding="utf-8")
        hook.chmod(0o755)
        for name in (DESK, *MACHINES):
            self._clone(name)

    def place(self, name: str) -> Path:
        """Return the clone of a machine."""
        return self.root / name

    def _clone(self, name: str) -> None:
        place = self.place(name)
        (self.root / "homes" / name).mkdir()
        self.git(self.root, "clone", "-q", "--template=", str(self.hub), str(place))
        person = "Ada" if name == DESK else name
        self.git(place, "config", "user.name", person)
        self.git(place, "config", "user.email", f"{name.lower()}@demo.invalid")
        if name == DESK:
            self._begin(place)

    def _begin(self, place: Path) -> None:
        """Push the first commit of the project: the adventure without a room."""
        self.git(place, "checkout", "-q", "-B", "main")
        shutil.copy(_VILLAGE / "play.py", place)
        (place / "baton.toml").write_text(_BATON_TOML, encoding="utf-8")
        (place / "README.md").write_text("# Lantern Bay\n\nRun `python3 play.py`.\n")
        self.git(place, "add", "-A")
        self.git(place, "commit", "-q", "-m", "Begin")
        self.git(place, "push", "-q", "-u", "origin", "main")

    # --- commands

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment on the machine ``name``."""
        return self.env | {"HOME": str(self.root / "homes" / name)}

    def command(self, name: str, *words: str) -> list[str]:
        """Return how ``baton *words`` is started on the machine ``name``."""
        return [sys.executable, "-m", "gitbaton.cli", "-C", str(self.place(name)), *words]

    def start(self, name: str, *words: str, log: Path | None = None) -> subprocess.Popen[str]:
        """Start ``baton *words`` there and return at once. ``log``: for its standard error."""
        with open(log or os.devnull, "ab") as errors:
            return subprocess.Popen(
                self.command(name, *words),
                cwd=self.root,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )

    def baton(self, name: str, *words: str, expect: int = 0) -> Answer:
        """Run ``baton *words`` there. Raises TourFailed unless it ends with ``expect``."""
        return self._run(
            self.command(name, *words), self.root, self.environment(name), ("baton", *words), expect
        )

    def git(self, place: Path, *words: str, expect: int = 0) -> str:
        """Run git in ``place`` and return what it printed. Raises TourFailed when it fails."""
        argv = ("git", *words)
        return self._run(argv, place, self.env, argv, expect).out.rstrip("\n")

    def python(self, place: Path, *words: str) -> str:
        """Run a program of the project in ``place`` and return what it printed."""
        argv = (sys.executable, "-B", *words)
        return self._run(argv, place, self.env, ("python3", *words), 0).out

    def _run(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        words: Sequence[str],
        expect: int,
    ) -> Answer:
        try:
            done = subprocess.run(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError as error:
            raise TourFailed(f"{words[0]} is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise TourFailed(f"{shlex.join(words)} took longer than {PATIENCE:g} s") from error
        answer = Answer(words, done.returncode, done.stdout, done.stderr)
        if answer.status != expect:
            said = answer.err.strip() or answer.out.strip()
            raise TourFailed(f"{answer}, not with {expect}: {said[-600:]}")
        return answer


def _environment(base: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return ``base`` without what configures git, baton or an agent; git's own is in ``root``."""
    env = {name: value for name, value in base.items() if not name.startswith(_FOREIGN)}
    path = [
        str(Path(part).absolute()) for part in env.get("PYTHONPATH", "").split(os.pathsep) if part
    ]
    return env | {
        MARK: str(root),
        "DEMO_STAGE": str(root),
        "HOME": str(root / "homes"),
        "GIT_CONFIG_GLOBAL": str(root / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUTF8": "1",
    }
