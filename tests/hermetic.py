"""The environment of every test: git that knows nothing of this machine's user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MARK = "GITBATON_TEST_RUN"
"""Set in every process that a test starts, so that one left behind can be found."""

GITCONFIG = """\
[user]
\tname = Tester
\temail = tester@gitbaton.invalid
[init]
\tdefaultBranch = main
[protocol "file"]
\tallow = always
[gc]
\tauto = 0
[maintenance]
\tauto = false
[commit]
\tgpgSign = false
[advice]
\tdetachedHead = false
"""

_FOREIGN = ("GIT_", "BATON_", "SSH_", "XDG_")


def hermetic_environment(base: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return ``base`` with a home of its own at ``home`` (made here) and git pinned to it."""
    (home / "config" / "git").mkdir(parents=True, exist_ok=True)
    config = home / "gitconfig"
    config.write_text(GITCONFIG)
    env = {name: value for name, value in base.items() if not name.startswith(_FOREIGN)}
    env.update(
        HOME=str(home),
        XDG_CONFIG_HOME=str(home / "config"),
        XDG_CACHE_HOME=str(home / "cache"),
        XDG_DATA_HOME=str(home / "data"),
        XDG_STATE_HOME=str(home / "state"),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=str(config),
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="",
        SSH_ASKPASS="",
        TZ="UTC",
        LC_ALL="C.UTF-8",
    )
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        env.pop(proxy, None)
        env.pop(proxy.upper(), None)
    return env
