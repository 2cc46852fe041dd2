"""What is right is accepted: every way of a task that the format and the table allow."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.checker import Invariant, Report, check
from tests.checker.__main__ import main
from tests.checker.build import MAIN, Story


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """An empty remote with one commit on its target."""
    return Story(tmp_path / "remote.git")


def quiet(story: Story) -> list[str]:
    """Return what the checker says of a finished run."""
    return [str(f) for f in check(story.remote.path, quiescent=True, one_clock=True)]


def test_imports_nothing_of_what_it_checks() -> None:
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file.name}: a relative import hides where it leads"
                names = [node.module or ""]
            strange = [n for n in names if n.startswith(("gitbaton", "importlib"))]
            assert not strange, f"{file.name} imports {strange}"


def test_a_task_done_and_folded(story: Story) -> None:
    story.add("a")
    story.claim("a")
    for _ in range(3):
        story.renew("a")
    story.land("a", "refs/heads/task/a", story.work("a"))
    story.park("a")
    assert quiet(story) == []


def test_an_abandoned_claim_and_the_next_one(story: Story) -> None:
    story.add("a")
    story.claim("a", "zoe")
    abandoned = story.work("a")
    story.renew("a")
    story.reset("a")
    story.rescue("a", 1, abandoned)
    story.claim("a", "ben")
    result = story.work("a")
    story.land("a", MAIN, result)
    reported = [Report(abandoned, "a", 1), Report(result, "a", 2)]
    assert check(story.remote.path, quiescent=True, reported=reported) == []


def test_parked_staged_and_done(story: Story) -> None:
    story.add_parked("a")
    story.add_parked("b")
    assert check(story.remote.path) == []
    born = story.last["tasks/a"]
    story.write("tasks/a", born.value, **_again(born.envelope))
    story.mark("a", "board: stage 1")
    assert story.last["tasks/a"].oid == born.oid
    story.claim("a")
    story.land("a", MAIN, story.work("a"))
    assert [str(f) for f in check(story.remote.path, quiescent=True, unfinished=["b"])] == []


def test_review_rejected_retried_and_cancelled(story: Story) -> None:
    story.add("a")
    story.claim("a")
    first = story.work("a")
    story.land("a", "refs/heads/task/a", first, "review")
    story.write("tasks/a", story.value("a", status="pending"), "reject: a: no tests")
    story.claim("a", "ben")
    story.land("a", "refs/heads/task/a", story.work("a", first), "review")
    story.write("tasks/a", story.value("a", status="done"), "accept: a")
    story.park("a")
    story.last["tasks/a"] = story.write("tasks/a", story.value("a", status="pending"), "retry: a")
    story.mark("a", "retry: a")
    story.write("tasks/a", story.value("a", status="cancelled"), "cancel: a")
    assert quiet(story) == []


def test_a_branch_moved_on_with_its_old_tip_rescued(story: Story) -> None:
    story.add("a")
    story.claim("a")
    first = story.work("a")
    story.land("a", "refs/heads/task/a", first, "review")
    story.write("tasks/a", story.value("a", status="pending"), "reject: a: start over")
    story.claim("a", "ben")
    story.rescue("a", 1, first)
    story.land("a", "refs/heads/task/a", story.work("a"))
    assert quiet(story) == []


def test_a_landing_that_the_host_refused_and_that_was_taken_back(story: Story) -> None:
    story.add("a")
    story.claim("a")
    held = story.last["tasks/a"]
    refused = story.remote.commit("refused", story.base)
    main = story.remote.at(MAIN)
    story.land("a", MAIN, refused)
    story.remote.point(MAIN, main)
    story.write("tasks/a", held.value, "undo: done: a by ada")
    story.land("a", "refs/heads/task/a", story.work("a"))
    assert quiet(story) == []


def test_reserved_paths_one_after_the_other(story: Story) -> None:
    for name, paths in (("a", ["src/*.py"]), ("b", ["src/main.py"]), ("c", ["docs"])):
        story.add(name, paths=paths)
    entry = {
        name: {"task": name, "epoch": 1, "paths": story.value(name)["paths"]} for name in "abc"
    }
    for name, entries in (("a", "a"), ("c", "ac"), ("b", "bc")):
        if name == "b":
            story.land("a", MAIN, story.work("a"))
        locks = {"format": 1, "entries": [entry[held] for held in entries]}
        changes = {f"tasks/{name}": story.claimed(name, "ada"), "locks/paths": locks}
        story.together(changes, f"claim: {name} by ada")
    story.land("b", MAIN, story.work("b", story.remote.at(MAIN) or ""))
    story.land("c", MAIN, story.work("c", story.remote.at(MAIN) or ""))
    assert quiet(story) == []


def test_deleted_and_added_again(story: Story) -> None:
    story.add("a")
    story.claim("a")
    end = story.version("tasks/a", {}, "drop: a", deleted=True)
    story.unmark("a")
    story.board("drop: a", end.oid)
    story.remote.point("refs/baton/tasks/a", None)
    del story.last["tasks/a"]
    story.add("a")
    story.claim("a", "ben")
    assert check(story.remote.path) == []


def test_a_commit_that_landed_as_a_copy_is_accounted_for(story: Story) -> None:
    story.add("a")
    story.claim("a")
    story.land("a", MAIN, story.work("a"))
    original = "d" * 40
    copied = Report(original, "a", 1, "work on a")
    assert check(story.remote.path, reported=[copied]) == []
    for other in (
        Report(original, "a", 1),
        Report(original, "a", 1, "more work on a"),
        Report(original, "a", 2, "work on a"),
    ):
        [finding] = check(story.remote.path, reported=[other])
        assert (finding.invariant, finding.subject) == (Invariant.I3, original)


def test_the_command_says_and_exits_what_was_found(
    story: Story, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    story.add("a")
    assert main([str(story.remote.path)]) == 0
    assert capsys.readouterr().out == ""
    commits = tmp_path / "commits"
    commits.write_text(f"{story.base}\n{'0' * 40} a 1\n")
    assert main([str(story.remote.path), "--quiescent", "--commits", str(commits)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"I3: {'0' * 40}: is on no branch and no rescue ref (made for a epoch 1)",
        "I4: tasks/a: is left pending",
    ]


def _again(envelope: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in envelope.items() if name not in ("key", "value")}
