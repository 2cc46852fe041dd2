"""A hook as it is configured: what it is told of, and how it is reached (pure).

Hooks are this machine's own: they come from ``baton.toml`` of the checkout that a worker is started
in, read once at its start. No task, plan or message can set one, and what waits to be delivered
names its hook only, never a command.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gitbaton.core.config import HookEvent, HookForm, HookSection
from gitbaton.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments. No shell."""

    argv: tuple[str, ...]

    @property
    def shown(self) -> str:
        """What people may see of it."""
        return self.argv[0]


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that events are posted to. Whoever knows it may post there: it is a secret."""

    url: str = field(repr=False)
    form: HookForm = "json"

    @property
    def shown(self) -> str:
        """What people may see of it: where it goes, and not with which right."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}/…"


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook. ``timeout``: seconds for one delivery."""

    name: str
    events: frozenset[HookEvent]
    target: Command | Webhook
    timeout: float = 10.0

    def wants(self, event: HookEvent) -> bool:
        """Tell whether it is told of this event."""
        return event in self.events or "all" in self.events


def make_hooks(sections: Mapping[str, HookSection], env: Mapping[str, str]) -> dict[str, Hook]:
    """Return the hooks that are configured. Raises InvalidInput naming ``hooks.<name>.<key>``."""
    return {name: _hook(name, section, env) for name, section in sections.items()}


def secret_variables(sections: Mapping[str, HookSection]) -> frozenset[str]:
    """Return the environment variables that hold addresses: agents have no need to see them."""
    return frozenset(s.webhook_env for s in sections.values() if s.webhook_env)


def _hook(name: str, section: HookSection, env: Mapping[str, str]) -> Hook:
    ways = [way for way in (section.command, section.webhook, section.webhook_env) if way]
    if len(ways) != 1:
        raise InvalidInput(f"hooks.{name}", "give one of command, webhook and webhook_env")
    target: Command | Webhook
    if section.command:
        target = Command(_words(section.command, f"hooks.{name}.command"))
    elif section.webhook:
        target = _webhook(section.webhook, section.form, f"hooks.{name}.webhook")
    else:
        at = f"hooks.{name}.webhook_env"
        url = env.get(section.webhook_env or "")
        if not url:
            raise InvalidInput(at, f"the variable {section.webhook_env} is not set")
        target = _webhook(url, section.form, at)
    return Hook(name, frozenset(section.events), target, float(section.timeout))


def _words(text: str, at: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(at, f"{text!r}: {error}") from error
    if not words or "\0" in text:
        raise InvalidInput(at, "that is no command")
    return words


def _webhook(url: str, form: HookForm, at: str) -> Webhook:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput(at, "that is no address; write https://HOST/PATH")  # and never shown
    return Webhook(url, form)
