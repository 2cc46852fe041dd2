"""Who acts: the person behind a clone, or the agent that the environment names."""

from __future__ import annotations

import getpass
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitbaton.core.ids import agent_name
from gitbaton.core.process import session_leader
from gitbaton.store.model import Actor
from gitbaton.tasks.claims import Claimant
from gitbaton.workspace.held import Session

_CAPABILITIES = {"linux": "linux", "darwin": "macos", "win32": "windows"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs a command, by its environment and git's configuration. ``origin``: the clock's."""

    env: Mapping[str, str]
    git_config: Mapping[str, str]
    origin: str

    @property
    def machine(self) -> str:
        """The name of this machine, for people."""
        return platform.node() or "localhost"

    @property
    def person(self) -> Actor:
        """The human behind the clone, as git knows them."""
        name = self.env.get("GIT_AUTHOR_NAME") or self.git_config.get("user.name") or _login()
        email = self.env.get("GIT_AUTHOR_EMAIL") or self.git_config.get("user.email")
        return Actor(name, email) if email else Actor(name)

    @property
    def actor(self) -> Actor:
        """Who makes the changes of a command: the agent named in the environment, or the person.

        An agent has no address of its own: it must not pass for the person it works for. Raises
        InvalidInput when BATON_AGENT is no name.
        """
        agent = self.env.get("BATON_AGENT")
        return Actor(agent_name(agent, field="BATON_AGENT")) if agent else self.person

    @property
    def session(self) -> Session:
        """Who this is to the rule for stored tokens."""
        return Session(
            self.env.get("BATON_SESSION") or None,
            self.env.get("BATON_AGENT") or None,
            session_leader(origin=self.origin),
        )

    def claimant(self, *, agent: str | None = None, capabilities: Iterable[str] = ()) -> Claimant:
        """Return who claims: ``agent``, else BATON_AGENT, else the person on this machine.

        The platform is among the capabilities. Raises InvalidInput for what is no name.
        """
        name = agent or self.env.get("BATON_AGENT") or f"{self.person.name}@{self.machine}"
        platform_word = _CAPABILITIES.get(sys.platform)
        return Claimant(
            agent=agent_name(name),
            worker=agent_name(self.env.get("BATON_SESSION") or "cli", field="BATON_SESSION"),
            machine=self.machine,
            capabilities=frozenset(capabilities) | ({platform_word} if platform_word else set()),
        )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
