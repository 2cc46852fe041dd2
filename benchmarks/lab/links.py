"""The links that claims are timed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["local", "ssh", "https"]


@dataclass(frozen=True, slots=True)
class Link:
    """A way to the remote; ``added``: seconds put on every round trip, None without a network."""

    name: str
    kind: Kind
    added: float | None


LOCAL: Final = Link("local", "local", None)
LINKS: Final = (
    LOCAL,
    Link("https-0", "https", 0.0),
    Link("https-50", "https", 0.05),
    Link("https-150", "https", 0.15),
    Link("ssh-0", "ssh", 0.0),
    Link("ssh-50", "ssh", 0.05),
    Link("ssh-150", "ssh", 0.15),
)
