"""What the remote's history says of a plan that is over; nobody who took part is asked."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.checker import check
from tests.checker.claims import claim, epoch, status
from tests.checker.evidence import gather
from tests.checker.landings import find_landings
from tests.checker.names import Names
from tests.checker.records import Version
from tests.checker.repository import Repository
from tests.integration.chaos.verdict import read_reports

Phase = Mapping[str, Any]


@dataclass(frozen=True)
class Landing:
    """How a phase came to its end: the ``commit`` that landed, under which claim."""

    phase: str
    worker: str
    epoch: int
    commit: str


class Verdict:
    """Judges the plan whose file has the text ``plan``, by the bare repository ``remote``."""

    def __init__(self, remote: Path, plan: str) -> None:
        self._remote = remote
        document = tomllib.loads(plan)
        self.plan: str = document["plan"]["name"]
        self.phases: Mapping[str, Phase] = {one["id"]: one for one in document["phase"]}
        self._names = Names()
        self.evidence, damaged = gather(Repository(remote), self._names)
        assert damaged == []

    def assert_sound(self, reports: Path) -> None:
        """No invariant is broken, and every commit that an agent made is kept somewhere."""
        found = check(self._remote, quiescent=True, one_clock=True, reported=read_reports(reports))
        assert not found, "\n".join(map(str, found))

    def assert_done(self) -> Mapping[str, Landing]:
        """Every phase is done and has landed exactly once; return how."""
        tasks = {key: one for key, one in self.evidence.current().items() if one.is_task}
        expected = {f"tasks/{self.plan}.{phase}": "done" for phase in self.phases}
        assert {key: status(version) for key, version in tasks.items()} == expected
        landings = [self._landing(version) for version in find_landings(self.evidence)]
        assert Counter(one.phase for one in landings) == Counter(list(self.phases))
        return {one.phase: one for one in landings}

    def assert_ordered(self, landings: Mapping[str, Landing]) -> None:
        """What landed has in it what the phase needs: it began after that had landed."""
        for phase, landed in landings.items():
            for need in self.phases[phase].get("needs", ()):
                base = landings[need].commit
                assert self.evidence.reaches(landed.commit, base), f"{phase} is without {need}"

    def assert_placed(
        self, landings: Mapping[str, Landing], capabilities: Mapping[str, Sequence[str]]
    ) -> None:
        """Every attempt at a phase was by the worker it is pinned to, or by one that is able."""
        assert {landed.worker for landed in landings.values()} <= set(capabilities)
        for phase, wanted in self.phases.items():
            for version in self._claims(phase):
                worker = (claim(version) or {})["worker"]
                assert worker == wanted.get("worker", worker), f"{phase} was at {worker}"
                lacking = set(wanted.get("requires", ())) - set(capabilities[worker])
                assert not lacking, f"{worker} had {phase} and has no {', '.join(lacking)}"

    def assert_gated(self, approver: str) -> None:
        """A phase with a gate was claimed only after the approver had opened it."""
        for phase, wanted in self.phases.items():
            first = min(self._claims(phase), key=lambda version: version.seq)
            approval = first.value.get("approval")
            assert (approval or {}).get("by") == (approver if "gate" in wanted else None), phase

    def attempts(self, phase: str) -> Sequence[tuple[str, str]]:
        """Return (worker, word by which it ended) of each attempt at a phase, in order."""
        found = []
        for version in sorted(self._versions(phase), key=lambda version: version.seq):
            before = self.evidence.before(version)
            held = claim(before) if before is not None else None
            if held is not None and claim(version) is None:
                found.append((held["worker"], version.value["ended"]["word"]))
        return found

    def rescued(self, phase: str) -> set[int]:
        """Return the epochs of a phase of which a rescue ref keeps something."""
        kept = [self._names.rescue(ref) for ref in self.evidence.refs if "/rescue/" in ref]
        return {one[1] for one in kept if one is not None and one[0] == f"{self.plan}.{phase}"}

    def revisions(self) -> int:
        """Return how often the plan itself was written."""
        return len(self.evidence.by_key()[f"plans/{self.plan}"])

    def _versions(self, phase: str) -> list[Version]:
        return self.evidence.by_key()[f"tasks/{self.plan}.{phase}"]

    def _claims(self, phase: str) -> list[Version]:
        return [version for version in self._versions(phase) if claim(version) is not None]

    def _landing(self, version: Version) -> Landing:
        before = self.evidence.before(version)
        assert before is not None, "a landing ends a claim"
        held = claim(before) or {}
        phase = version.name.removeprefix(f"{self.plan}.")
        return Landing(phase, held["worker"], epoch(version), version.value["result"]["commit"])
