"""One world's past, checked: gather the evidence, ask for every promise."""

from __future__ import annotations

from pathlib import Path

from tests.worldchecker.agents import check_agents
from tests.worldchecker.bookkeeping import check_diaries, check_ledger
from tests.worldchecker.evidence import gather
from tests.worldchecker.finding import Finding
from tests.worldchecker.ledger import read_ledger
from tests.worldchecker.lineage import check_line, check_once
from tests.worldchecker.remerging import check_merges


def check_world(repo: Path, ledger: Path | None = None, *, branch: str = "world") -> list[Finding]:
    """Return everything that breaks a promise in the bare repository ``repo``.

    ``ledger``: the directory in which the streams kept theirs; without it that part is not asked.
    """
    evidence = gather(repo, branch)
    findings = [
        *check_line(evidence),
        *check_once(evidence),
        *check_agents(evidence),
        *check_diaries(evidence),
        *check_merges(evidence),
    ]
    if ledger is not None:
        findings += check_ledger(evidence, read_ledger(ledger))
    return sorted(set(findings))
