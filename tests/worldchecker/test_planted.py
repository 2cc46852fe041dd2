"""What is wrong is seen: one planted violation each, and the checker names just that promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worldchecker import Promise, check_world
from tests.worldchecker.build import Story, tell

Plant = Callable[[Story], None]
PLANTS: list[tuple[set[Promise], str, Plant]] = []


def breaks(*promises: Promise, saying: str) -> Callable[[Plant], Plant]:
    """Register a violation: what it breaks, and words of the finding."""

    def register(plant: Plant) -> Plant:
        PLANTS.append((set(promises), saying, plant))
        return plant

    return register


@breaks(Promise.LINE, saying="comes after frame 3")
def a_frame_is_skipped(story: Story) -> None:
    story.frames[4].record["number"] = 5


@breaks(Promise.LINE, saying="was not over")
def a_delta_from_the_future(story: Story) -> None:
    story.frames[1].deltas[0].frame = 1
    story.frames[1].record["merged"][0] = [1, "ada"]
    story.frames[2].deltas[0].frame = 0
    story.frames[2].record["merged"][0] = [0, "ada"]
    for entry in story.frames[2].record["quarantined"]:
        entry["frame"] = 0
    for run in story.runs:
        run["frame"] = {"ada0": 1, "ada1": 0}.get(run["run"], run["frame"])


@breaks(Promise.LINE, saying="made for another world")
def a_delta_of_another_world(story: Story) -> None:
    story.frames[2].deltas[0].base = None


@breaks(Promise.ONCE, Promise.MERGE, saying="is merged 2 times")
def a_delta_is_merged_twice(story: Story) -> None:
    delta = story.frames[3].deltas[0]
    story.frames[4].deltas.append(delta)
    story.frames[4].record["merged"].append([delta.frame, delta.worker])


@breaks(Promise.ONCE, saying="does not record it")
def a_delta_is_taken_and_not_recorded(story: Story) -> None:
    spare = story.run("ada", 3)
    story.runs.pop()
    spare.worker, spare.ops = "eve", []
    story.frames[4].deltas.append(spare)


@breaks(Promise.ONCE, saying="is not among its parents")
def a_delta_is_recorded_and_not_taken(story: Story) -> None:
    story.frames[4].record["merged"].append([3, "eve"])


@breaks(Promise.ONCE, Promise.MERGE, saying="there 0 times")
def an_entry_is_gone_from_the_end(story: Story) -> None:
    story.frames[4].documents["diary/a1.json"] = {"entries": []}


@breaks(Promise.AGENTS, saying="a1 ran twice")
def an_agent_runs_on_two_workers(story: Story) -> None:
    story.frames[1].deltas[1].agents.append("a1")


@breaks(Promise.AGENTS, saying="b2: nobody took over")
def an_agent_is_left_out_of_two_frames(story: Story) -> None:
    story.frames[1].deltas[1].agents.remove("b2")
    story.frames[3].deltas[0].agents.remove("b2")


@breaks(Promise.LEDGER, saying="is not in the world")
def a_finished_run_is_lost(story: Story) -> None:
    del story.frames[3].deltas[0]  # the late one: ben runs again in that frame
    story.remake(3)


@breaks(Promise.LEDGER, saying="in the middle of it is missing")
def a_line_is_lost_on_the_way(story: Story) -> None:
    del story.frames[1].deltas[1].ops[1]
    story.remake(1)


@breaks(Promise.LEDGER, saying="nobody wrote")
def an_op_that_nobody_wrote(story: Story) -> None:
    invented = {"op": "incr", "doc": "totals.json", "path": "/free/gold", "value": 1000}
    story.frames[1].deltas[1].ops.append(invented)
    story.remake(1)


@breaks(Promise.MERGE, saying="map.json is not what was merged")
def a_document_that_nobody_touched_changes(story: Story) -> None:
    for frame in story.frames[2:]:
        frame.documents["map.json"] = {"town": "changed"}


@breaks(Promise.MERGE, saying="totals.json is not what was merged")
def a_sum_is_wrong(story: Story) -> None:
    story.frames[4].documents["totals.json"]["steps"]["a1"] += 1


@breaks(Promise.MERGE, saying="square.json is not what was merged")
def the_wrong_writer_is_last(story: Story) -> None:
    for frame in story.frames[3:]:
        frame.documents["square.json"]["banner"] = "ben"


@breaks(Promise.CONFLICTS, saying="and nothing says so")
def a_conflict_is_kept_quiet(story: Story) -> None:
    story.frames[3].record["conflicts"].clear()


@breaks(Promise.CONFLICTS, saying="and is not")
def a_conflict_is_made_up(story: Story) -> None:
    story.frames[4].record["conflicts"].append({"doc": "totals.json", "path": "/best"})


@breaks(Promise.QUARANTINE, saying="and nothing says so")
def a_bad_line_is_kept_quiet(story: Story) -> None:
    story.frames[2].record["quarantined"].pop()


@breaks(Promise.QUARANTINE, saying="and is one")
def a_good_line_is_put_aside(story: Story) -> None:
    good = {"frame": 3, "worker": "ada", "stream": "s1", "line": 1}
    story.frames[4].record["quarantined"].append(good)


@pytest.mark.parametrize(
    ("promises", "saying", "plant"), PLANTS, ids=[plant.__name__ for *_, plant in PLANTS]
)
def test_planted(tmp_path: Path, promises: set[Promise], saying: str, plant: Plant) -> None:
    story = tell()
    plant(story)
    found = check_world(*story.write(tmp_path))
    told = "\n".join(map(str, found))
    assert {finding.promise for finding in found} == promises, told
    assert any(saying in finding.text for finding in found), told


def test_every_promise_has_a_planted_violation() -> None:
    assert {promise for promises, *_ in PLANTS for promise in promises} == set(Promise)
