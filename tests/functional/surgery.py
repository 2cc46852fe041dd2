"""The doctor's visits, and what was said."""

from __future__ import annotations

from typing import Any

from tests.functional.baton import Baton
from tests.servers.site import BareRepository


def visit(baton: Baton, *words: str, status: int) -> dict[str, Any]:
    """Run the doctor, who must end with ``status``, and return the document."""
    answer = baton("doctor", *words, "--json")
    assert answer.status == status, answer
    document: dict[str, Any] = answer.json
    assert set(document) == {"findings", "host"}
    for finding in document["findings"]:
        assert set(finding) == {"level", "subject", "text", "next"}
        assert finding["level"] in {"ok", "note", "warning", "problem"}
    return document


def told(document: dict[str, Any], *levels: str) -> list[str]:
    """Return ``subject: text`` of the findings of these levels."""
    return [f"{f['subject']}: {f['text']}" for f in document["findings"] if f["level"] in levels]


def next_of(document: dict[str, Any], words: str) -> str:
    """Return what to do about the finding whose text contains ``words``."""
    [found] = [f for f in document["findings"] if words in f["text"]]
    return str(found["next"])


def probes(remote: BareRepository) -> set[str]:
    return {ref for ref in remote.refs() if "probe" in ref}
