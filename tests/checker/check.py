"""One run's end, checked: gather the evidence, ask every invariant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from tests.checker.chains import check_chains
from tests.checker.claims import check_claims
from tests.checker.evidence import gather
from tests.checker.finding import Finding, Invariant
from tests.checker.keeping import check_keeping
from tests.checker.landings import Report, check_landings
from tests.checker.names import Names
from tests.checker.paths import check_paths
from tests.checker.repository import GitFailed, Repository
from tests.checker.rest import check_rest
from tests.checker.wholeness import check_places, check_transactions


def check(
    repo: str | Path,
    *,
    namespace: str = "refs/baton/",
    board: str = "refs/heads/baton",
    target: str = "main",
    quiescent: bool = False,
    unfinished: Collection[str] = (),
    reported: Iterable[Report] = (),
    one_clock: bool = False,
) -> list[Finding]:
    """Return everything that breaks an invariant in the bare repository ``repo``.

    ``quiescent``: the run is over and upkeep was done, so refs and board must agree and no task
    but the ``unfinished`` may be left. ``reported``: commits that agents say they made; each must
    be on a branch or a rescue ref. ``one_clock``: the times in the records may be compared.
    A branch that moved in a push of which the server, killed, applied nothing else, counts as a
    landing without a claim: git does not show the difference.
    """
    reports = list(reported)
    repository = Repository(repo)
    damage = repository.damage()
    if damage is not None:
        return [Finding(Invariant.I3, str(repo), damage)]
    names = Names(namespace, board, f"refs/heads/{target}")
    try:
        evidence, findings = gather(repository, names)
    except GitFailed as error:
        return [Finding(Invariant.I3, str(repo), str(error))]
    if not evidence.versions:
        findings.append(Finding(Invariant.HISTORY, str(repo), "there are no records at all"))
    findings += check_chains(evidence)
    findings += check_claims(evidence)
    findings += check_landings(evidence, reports)
    findings += check_keeping(evidence, reports)
    findings += check_transactions(evidence)
    findings += check_paths(evidence, one_clock=one_clock)
    if quiescent:
        findings += check_places(evidence)
        findings += check_rest(evidence, unfinished)
    return sorted(set(findings))
