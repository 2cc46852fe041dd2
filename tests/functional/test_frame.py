"""``baton frame`` on the command line: a small world, from its first frame to its replay."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton, lines
from tests.functional.working import wait_until
from tests.servers.site import BareRepository, Site

# Appends who runs, disputes a place with the other stream, and writes a line that is no op.
STREAM = r"""#!/bin/sh
agent=$(tr -d '[],"' < "$BATON_AGENTS")
exec >> "$BATON_OPS"
say() { printf '{"op":"%s","doc":"%s.json","path":"%s","value":"%s"}\n' "$@" "$agent"; }
say append seen /all
say set square /banner
[ "$agent" = zoe ] || echo 'no op'
"""


def make_clone(area: Path, remote: BareRepository) -> Baton:
    """Make a clone of an empty remote with the files of a small world beside it."""
    subprocess.run(["git", "clone", "-q", remote.url, str(area / "clone")], check=True)
    (area / "docs" / "map").mkdir(parents=True)
    (area / "docs" / "map" / "town.json").write_text('{"name": "Town"}')
    (area / "docs" / "world.json").write_text('{"deadline": 20, "lease": 5}')
    (area / "agents").write_text("ben\nzoe\n")
    (area / "stream.sh").write_text(STREAM)
    (area / "stream.sh").chmod(0o755)
    return Baton(area / "clone")


@pytest.fixture
def clone(tmp_path: Path, file_remote: BareRepository) -> Baton:
    return make_clone(tmp_path, file_remote)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, file_remotes: Site) -> tuple[Baton, str]:
    """A world that is three frames old, and what its one worker told of it."""
    baton = make_clone(tmp_path_factory.mktemp("world"), file_remotes.fresh())
    docs = ("--docs", "../docs", "--agents", "../agents")
    assert baton.ok("frame", "init", *docs, "--keep", "50")["made"]
    work = ("--cmd", "../stream.sh", "--streams", "2", "--name", "w", "--frames", "2")
    answer = baton("frame", "work", *work, "--json")
    assert answer.status == 0, answer
    return baton, answer.out


def test_a_world_is_made_once(clone: Baton) -> None:
    first = clone.ok("frame", "init", "--docs", "../docs", "--agents", "../agents")
    assert (first["frame"], first["branch"], first["made"]) == (0, "world", True)
    again = clone("frame", "init", "--docs", "../docs")
    assert "there is a world on branch world, at frame 0" in again.out
    assert clone.ok("frame", "show", "0", "agents.json")["content"] == ["ben", "zoe"]
    world = clone.ok("frame", "status")["world"]
    assert (world["deadline"], world["lease"]) == (20, 5)
    other = clone.ok("frame", "init", "--world", "other", "--deadline", "2m", "--lease", "30s")
    assert (other["branch"], other["made"]) == ("other", True)
    assert clone.ok("frame", "status", "--world", "other")["world"]["deadline"] == 120


def test_what_a_worker_tells(told: tuple[Baton, str]) -> None:
    events = list(lines(told[1]))
    assert {"event", "at", "frame", "text", "detail"} == set(events[0])
    published = [event["frame"] for event in events if event["event"] == "published"]
    assert published == [1, 2, 3], "frame 1 only says who is there"
    assert [event["frame"] for event in events if event["event"] == "delivered"] == [1, 2]
    assert events[-1]["event"] == "stopped"


def test_the_record_of_a_frame(told: tuple[Baton, str]) -> None:
    baton, _ = told
    page = baton.ok("frame", "show", "2")
    record = page["record"]
    assert record["merged"] == [{"frame": 1, "worker": "w"}]
    assert record["counts"] == {"ops": 4, "applied": 3, "superseded": 0, "overruled": 1}
    [conflict] = record["conflicts"]
    assert (conflict["doc"], conflict["path"]) == ("square.json", "/banner")
    assert sorted(claim["won"] for claim in conflict["claims"]) == [False, True]
    [bad] = record["quarantined"]
    assert (bad["worker"], bad["line"]) == ("w", 3)
    assert "map/town.json" in page["documents"]
    shown = baton("frame", "show", "2").out
    assert "conflict (values, last) at square.json/banner" in shown
    assert f"put aside: w, stream {bad['stream']}, line 3 of frame 1" in shown


def test_documents_of_any_frame(told: tuple[Baton, str]) -> None:
    baton, _ = told
    assert json.loads(baton("frame", "show", "0", "map/town.json").out) == {"name": "Town"}
    seen = baton.ok("frame", "show", "3", "seen.json")
    assert sorted(seen["content"]["all"]) == ["ben", "ben", "zoe", "zoe"]
    assert baton.ok("frame", "show")["frame"] == 3, "without a number: the current frame"


def test_log_status_and_diff(told: tuple[Baton, str]) -> None:
    baton, _ = told
    log = baton.ok("frame", "log")["frames"]
    assert [page["frame"] for page in log] == [3, 2, 1, 0]
    assert [page["frame"] for page in baton.ok("frame", "log", "-n", "2")["frames"]] == [3, 2]
    status = baton.ok("frame", "status")
    assert (status["frame"], status["agents"], status["primary"]) == (3, 2, None)
    assert [worker["name"] for worker in status["workers"]] == ["w"]
    changed = {doc["doc"]: doc["changes"] for doc in baton.ok("frame", "diff", "2")["documents"]}
    assert set(changed) == {"seen.json", "square.json"}
    assert [set(change) for change in changed["square.json"]] == [{"path", "after"}]
    assert changed == {
        doc["doc"]: doc["changes"] for doc in baton.ok("frame", "diff", "1", "2")["documents"]
    }
    assert "seen.json (new)" in baton("frame", "diff", "0", "3").out


def test_every_frame_is_merged_again_and_comes_out_the_same(told: tuple[Baton, str]) -> None:
    """I7"""
    baton, _ = told
    replay = baton.ok("frame", "replay", "--all")
    assert replay["same"]
    assert [frame["frame"] for frame in replay["frames"]] == [1, 2, 3]
    assert "frame 2: 1 delta, 4 ops: the same" in baton("frame", "replay", "2").out


def test_it_fits_eighty_columns(told: tuple[Baton, str]) -> None:
    baton, _ = told
    for words in (["status"], ["log"], ["show", "2"], ["diff", "2"], ["replay", "--all"]):
        answer = baton("frame", *words)
        assert answer.status == 0, answer
        widest = max(map(len, answer.out.splitlines()))
        assert widest <= 80, answer.out


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["show", "99"], 1, "unknown_frame"),
        (["show", "1", "none.json"], 1, "unknown_document"),
        (["show", "1", "../../etc/passwd"], 1, "unknown_document"),
        (["replay", "0"], 1, "no_merge"),
        (["replay"], 2, "usage"),
        (["diff", "1", "99"], 1, "unknown_frame"),
        (["status", "--world", "nowhere"], 1, "no_world"),
        (["work", "--cmd", ""], 2, "invalid"),
        (["work", "--cmd", "x 'y"], 2, "invalid"),
        (["work"], 2, "usage"),
        (["work", "--cmd", "true", "--world", "nowhere"], 1, "no_world"),
        (["init", "--docs", "nowhere"], 2, "invalid"),
        (["init", "--agents", "nowhere"], 2, "invalid"),
        (["init", "--world", "-x"], 2, "invalid"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals(told: tuple[Baton, str], words: list[str], status: int, code: str) -> None:
    answer = told[0]("frame", *words, "--json")
    assert (answer.status, json.loads(answer.out.splitlines()[-1])["error"]["code"]) == (
        status,
        code,
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("frame.json", "{}"),
        ("Capital.json", "{}"),
        ("cut.json", '{"a"'),
        ("world.json", '{"deadline": "soon"}'),
        ("world.json", '{"rules": [{"doc": "*", "path": "x", "use": "last"}]}'),
    ],
)
def test_documents_that_cannot_be(clone: Baton, tmp_path: Path, name: str, content: str) -> None:
    """Nothing is made of a world whose beginning is wrong (I8)."""
    (tmp_path / "docs" / name).write_text(content)
    answer = clone("frame", "init", "--docs", "../docs", "--json")
    assert (answer.status, answer.error["code"]) == (2, "invalid")
    assert clone("frame", "status", "--json").error["code"] == "no_world"


@pytest.mark.parametrize("agents", ["ben\nben\n", '["ben", 3]', '["ben"'])
def test_agents_that_cannot_be(clone: Baton, tmp_path: Path, agents: str) -> None:
    (tmp_path / "agents").write_text(agents)
    assert clone("frame", "init", "--agents", "../agents").status == 2


def test_without_a_remote_there_is_no_world(baton: Baton) -> None:
    error = baton("frame", "status", "--json").error
    assert error["code"] == "no_remote"
    assert "git remote add" in error["next"]


def test_streams_that_all_fail(clone: Baton) -> None:
    """A supervisor sees it by the exit status, everybody else in the record and in `status`."""
    clone.ok("frame", "init", "--docs", "../docs", "--agents", "../agents")
    work = ("frame", "work", "--name", "w", "--streams", "2", "--frames", "1", "--json")
    answer = clone(*work, "--cmd", "sh -c 'echo no >&2; exit 3'")
    said = list(lines(answer.out))
    assert (answer.status, said[-1]["error"]["code"]) == (1, "streams_failed")
    (trouble,) = [event for event in said[:-1] if event["event"] == "trouble"]
    assert trouble["text"] == "frame 1: no stream ended well (2 of 2 failed)"
    record = clone.ok("frame", "status")["record"]
    assert (record["failed_count"], record["conflicts"]) == (2, [])
    assert {(f["frame"], f["worker"], f["outcome"]) for f in record["failed"]} == {
        (1, "w", "failed")
    }
    shown = clone("frame", "status").out
    assert "1 delta, 0 ops, 2 streams failed" in shown
    assert "w, stream 1 of frame 1 failed: exit status 3" in shown, shown
    assert "2 streams failed" in clone("frame", "show", "2").out
    assert clone.ok("frame", "replay", "2")["same"]
    # One that ends well is enough, and what ended well is not told of.
    half = clone(*work, "--cmd", "sh -c 'test $BATON_STREAM = 1'")
    assert half.status == 0, half
    assert clone.ok("frame", "status")["record"]["failed_count"] == 1
    assert clone(*work, "--cmd", "true").status == 0
    assert "failed_count" not in clone.ok("frame", "show", "4", "frame.json")["content"]


def test_an_interrupt_ends_a_worker_and_a_primary(clones: Callable[[str], Baton]) -> None:
    """130, and nobody has to wait for a lease that is left behind."""
    one = clones("one")
    one.ok("frame", "init")
    for words in (["primary"], ["work", "--cmd", "true", "--no-primary"]):
        process = subprocess.Popen(
            [*COMMAND, "frame", *words, "--json"],
            cwd=one.directory,
            env=one.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["event"] in ("primary", "idle")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
    status = one.ok("frame", "status")
    assert (status["primary"], status["workers"]) == (None, [])
    wait_until(lambda: not one.git("ls-remote", "origin", "refs/baton/frames/*"), "no tokens")
