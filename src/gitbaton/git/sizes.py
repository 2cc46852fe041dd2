"""How large objects are, without reading them: whoever pushed them may mean no good."""

from __future__ import annotations

from collections.abc import Iterable

from gitbaton.core.ids import Oid
from gitbaton.git.objectstore import MissingObject
from gitbaton.git.repository import CoordinationRepository


def sizes(repository: CoordinationRepository, oids: Iterable[Oid]) -> dict[Oid, int]:
    """Return the size of each object in bytes. Raises MissingObject. One process for all."""
    wanted = list(dict.fromkeys(oids))
    if not wanted:
        return {}
    asked = repository.git.run(
        "cat-file",
        "--batch-check=%(objectsize)",
        stdin="\n".join(wanted).encode() + b"\n",
    )
    found: dict[Oid, int] = {}
    for oid, answer in zip(wanted, asked.text.split("\n"), strict=True):
        if not answer.isdigit():
            raise MissingObject(oid)
        found[oid] = int(answer)
    return found
