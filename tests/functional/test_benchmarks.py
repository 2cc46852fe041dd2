"""The benchmarks work: every part, with numbers that show its shape and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks import document, scale
from benchmarks.contenders.contender import Claim
from benchmarks.contenders.evidence import judge
from benchmarks.contenders.field import make_field
from benchmarks.document import Document
from benchmarks.lab.lab import Way
from benchmarks.lab.links import LOCAL
from benchmarks.lab.workplace import Workplace
from benchmarks.report import page, tables
from benchmarks.run import run
from benchmarks.targets import read_all

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"
TINY = scale.TINY


@pytest.fixture(scope="module")
def results() -> Document:
    """A run of the local link; `parallel` is made of what `pushes` is made of."""
    return run(
        TINY, only=("latency", "contention", "pushes", "backlog", "commits", "frames", "merging")
    )


def test_every_part_measures(results: Document) -> None:
    assert results.failed == []
    [latency] = results.latency
    git_only = {"library", "command", "tasks.json", "tags"}
    assert git_only <= latency.claims.keys()
    assert latency.claims["library"].count == TINY.rounds
    assert {race.contender for race in results.races} >= git_only - {"command"}
    assert [result.size for result in results.backlog] == list(TINY.backlogs)
    assert results.pushes[0].landed == TINY.slot_tasks
    [alone], [hooked] = results.commits, results.hooked_commits
    assert {*alone.times} == {"git", "library", "command"}
    assert hooked.later.count == TINY.commits
    [frames], [sleepers] = results.frames, results.frame_scaling
    assert frames.ops == frames.workers * 10 * 21, "all that was delivered was merged"
    assert sleepers.frames == TINY.frame_sleeps
    assert [rate.workload for rate in results.merging] == ["apart", "quarrels"]
    assert [rate.conflicts > 0 for rate in results.merging] == [False, True]


def test_nobody_claims_twice(results: Document) -> None:
    """I1: what the claimants say is what the remote shows."""
    for race in results.races:
        assert race.claims == race.tasks
        assert (race.doubles, race.unconfirmed, race.findings) == (0, 0, 0)
        assert race.pushes is None or race.pushes > 0
    assert all(result.findings == 0 for result in results.pushes)


def test_every_commit_is_made_and_is_right(results: Document) -> None:
    races = {race.contender: race for race in results.commit_races}
    ours = races["command"]
    assert (ours.committed, ours.wrong) == (TINY.committers * TINY.commits_each, 0)
    assert races["wrapper"].attempts == ours.attempts


def test_a_double_would_be_seen(tmp_path: Path) -> None:
    place = Workplace.make(tmp_path / "work")
    way = Way(LOCAL, (), place.env, "git itself", None, None, place.repositories)
    field = make_field(place, way, "tags", "doubles", 3)
    told = [Claim("t000000", "one"), Claim("t000000", "another")]
    judgement = judge(field, told)
    assert (judgement.doubles, judgement.unconfirmed) == (1, 2)


def test_results_survive_the_file_and_fill_the_page(results: Document, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    document.write(results, path)
    again = document.read(path)
    assert again == results
    shown = page.insert(PAGE.read_text(), tables.render(again))
    assert shown.count(page.BEGIN) == shown.count(page.END) == 1
    assert "(a) tasks.json on a branch" in shown
    assert page.insert(shown, tables.render(again)) == shown


def test_without_namespaces_the_links_are_skipped_and_the_results_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.lab.namespaces.shutil.which", lambda name, **_: None)
    results = run(TINY, only=("latency",), links=("https-0", "ssh-150"))
    assert results.failed == [] and results.latency == []
    assert [missing.what for missing in results.skipped] == ["latency: https-0", "latency: ssh-150"]
    assert all(missing.why for missing in results.skipped)
    assert "skipped: latency: ssh-150" in tables.render(results)


def test_a_missed_target_is_shown_as_missed(results: Document) -> None:
    ours = next(race for race in results.races if race.contender == "library")
    told = msgspec.structs.replace(results, races=[msgspec.structs.replace(ours, doubles=1)])
    for document_, verdict in ((results, True), (told, False)):
        [doubles] = [r for r in read_all(document_) if r.target.startswith("doubles")]
        assert doubles.is_met is verdict
        assert ("| **missed** |" in _row(tables.render(document_), "doubles")) is not verdict


def _row(markdown: str, start: str) -> str:
    return next(line for line in markdown.splitlines() if line.startswith(f"| {start}"))
