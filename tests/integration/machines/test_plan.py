"""A plan across machines is finished, whatever fails: the demonstration (I1, I2, I4, I9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.machines.lab import Kind, best_kind, open_lab
from tests.integration.machines.story import CAPABILITIES, DESK, NAMES, PLAN, Story
from tests.integration.machines.verdict import Verdict
from tests.needs import needs

pytestmark = pytest.mark.timeout(400)  # under load; alone a story takes half a minute


def tell(kind: Kind, place: Path) -> Story:
    """Let the story happen in a lab of this kind, and judge it."""
    needs("sshd")
    with open_lab(place / "lab", NAMES, kind) as lab:
        story = Story(lab, place / "world")
        try:
            story.run()
            judge(story)
        finally:
            print(story)
    return story


def judge(story: Story) -> None:
    """Judge by the remote alone; who was cut off and who was killed the story knows."""
    verdict = Verdict(story.lab.remote.path, PLAN.read_text())
    verdict.assert_sound(story.world / "reports")
    landings = verdict.assert_done()
    verdict.assert_ordered(landings)
    verdict.assert_placed(landings, CAPABILITIES)
    verdict.assert_gated(approver=DESK)
    assert verdict.revisions() == 1, "the second orchestrator found the plan as it is"
    # Cut off: reaped by others, done by others, and its late result is kept but did not land.
    assert verdict.attempts("haul")[0] == (story.cut, "reset")
    assert landings["haul"].worker != story.cut
    assert 1 in verdict.rescued("haul")
    # Killed: the next worker there gives its claim back and sweeps up what was left of it.
    assert verdict.attempts("press")[0] == (story.killed, "fail")
    assert 1 in verdict.rescued("press")
    # Failed, and done at the next attempt.
    ends = [word for _, word in verdict.attempts("weld")]
    assert (ends[0], ends[-1]) == ("fail", "done")
    assert 1 in verdict.rescued("weld")
    # The last phase stands on all of them.
    files = story.lab.remote.git("ls-tree", "--name-only", landings["log"].commit).splitlines()
    assert set(files) == {f"{phase}.txt" for phase in verdict.phases} | {"baton.toml"}


@pytest.mark.race
def test_a_plan_across_machines_is_finished_whatever_fails(tmp_path: Path) -> None:
    """And the verdict sees what is not so: it is asked of plans that were not the one run."""
    story = tell(best_kind(), tmp_path)
    remote, plan = story.lab.remote.path, PLAN.read_text()
    landings = Verdict(remote, plan).assert_done()
    north, gpu = 'worker = "north"', 'requires = ["gpu"]'
    for told, lie in ((north, 'worker = "east"'), (gpu, 'requires = ["crane"]')):
        with pytest.raises(AssertionError):
            Verdict(remote, plan.replace(told, lie)).assert_placed(landings, CAPABILITIES)
    lie = plan.replace('id = "survey"', 'id = "survey"\nneeds = ["dock"]')
    with pytest.raises(AssertionError, match="survey is without dock"):
        Verdict(remote, lie).assert_ordered(landings)
    with pytest.raises(AssertionError):
        Verdict(remote, plan).assert_gated(approver="somebody else")
    with pytest.raises(AssertionError):
        Verdict(remote, plan.replace('"paint"', '"varnish"')).assert_done()


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["loopback", "namespaces"])
@pytest.mark.parametrize("time", range(10))
def test_it_always_is(time: int, kind: Kind, tmp_path: Path) -> None:
    if kind == "namespaces":
        needs("namespaces")
    tell(kind, tmp_path)
