"""Whole workers in real clones, on real servers: threads, commands, histories in part."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitbaton.app import App, init_app
from gitbaton.core.errors import InvalidInput, Refused
from gitbaton.frames import Append, Incr, Op, StreamView
from gitbaton.frames.frame import World
from gitbaton.frames.limits import Limits
from gitbaton.frames.news import News
from gitbaton.theatre import Founding, Part, Theatre
from tests.servers.site import BareRepository, Site

AGENTS = [f"agent-{number}" for number in range(8)]
QUICK = World(deadline=30.0, lease=20.0)


@contextmanager
def clone(root: Path, remote: BareRepository, name: str) -> Iterator[App]:
    """Give a clone of ``remote``, ready for use. Git itself has fetched nothing into it."""
    path = root / name
    env = {**os.environ, **remote.env}
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "remote", "add", "origin", remote.url], check=True)
    app, _ = init_app(path, env, remote="origin")
    try:
        yield app
    finally:
        app.close()


def found(app: App, config: World = QUICK) -> Theatre:
    """Found a world with agents and one more document."""
    theatre = Theatre(app, settle=0.2)
    documents = {"agents.json": json.dumps(AGENTS).encode(), "town/hall.json": b"{}"}
    assert theatre.found(Founding(config=config, documents=documents)).frame == 0
    return theatre


def count(view: StreamView) -> Iterable[Op]:
    """A stream: each agent counts itself, and says what it saw."""
    seen = view.read("counts.json") or {}
    for agent in view.agents:
        yield Incr("counts.json", f"/{agent}", 1)
        yield Append("log.json", "", {"who": agent, "frame": view.frame, "saw": seen.get(agent, 0)})


def perform(theatre: Theatre, part: Part) -> list[News]:
    """Run a worker to its end; return what it said."""
    said: list[News] = []
    with theatre.worker(part, said.append) as worker:
        worker.run()
    return said


def test_two_clones_on_any_server(remote_site: Site, tmp_path: Path) -> None:
    """I7: every agent once a frame, by whichever worker; every merge can be made again."""
    remote = remote_site.fresh()
    with clone(tmp_path, remote, "a") as first, clone(tmp_path, remote, "b") as second:
        theatres = [found(first), found(second)]
        parts = [Part(command=count, streams=2, frames=3, name=name) for name in ("one", "two")]
        threads = [
            threading.Thread(target=perform, args=pair)
            for pair in zip(theatres, parts, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        history = theatres[1].history
        pages = history.log()
        merged = [page.frame for page in pages if page.frame.merged]
        assert len(merged) >= 3
        log = json.loads(pages[0].scene.read("log.json") or b"[]")
        runs = Counter((entry["who"], entry["frame"]) for entry in log)
        assert set(runs.values()) == {1}
        # Whoever has had enough frames may leave one to which its agents were still counted.
        whole = [frame.number - 1 for frame in merged if not frame.missing]
        assert len(whole) >= 2
        assert {(who, n) for n in whole for who in AGENTS} <= runs.keys()
        for page in pages[:-1]:
            assert history.replay(page).differences == ()
        assert [r for r in remote.refs() if "/frames/" in r] == [], "who leaves takes its tokens"


def test_a_host_without_atomic_push(file_remote: BareRepository, tmp_path: Path) -> None:
    """I7: the lease first, then the world, then the deletions."""
    file_remote.configure("receive.advertiseAtomic", "false")
    with clone(tmp_path, file_remote, "a") as app:
        theatre = found(app)
        perform(theatre, Part(command=count, frames=3))
        pages = theatre.history.log()
        assert [p.frame.number for p in pages if p.frame.merged] == [4, 3, 2]
        counts = json.loads(pages[0].scene.read("counts.json") or b"{}")
        assert counts == dict.fromkeys(AGENTS, 3)
        assert [ref for ref in file_remote.refs() if "/frames/" in ref] == []


SCRIPT = """
import json, os, sys, time
agents = json.load(open(os.environ["BATON_AGENTS"]))
stream, ops = os.environ["BATON_STREAM"], os.environ["BATON_OPS"]
assert os.path.isfile(os.path.join(os.environ["BATON_WORLD"], "town", "hall.json"))
with open(ops, "a") as out:
    for agent in agents:
        op = {"op": "incr", "doc": "counts.json", "path": "/" + agent, "value": 1}
        out.write(json.dumps(op) + "\\n")
    if stream == "1":
        out.write("no json at all\\n")
    if stream == "2":
        out.write('{"op": "incr", "doc": "counts.json", "pa')
        out.flush()
        time.sleep(600)
    out.flush()
    if stream == "3":
        os.kill(os.getpid(), 9)
"""


def words(tmp_path: Path) -> Sequence[str]:
    script = tmp_path / "stream.py"
    script.write_text(SCRIPT)
    return [*shlex.split(sys.executable), str(script)]


def test_streams_that_crash_hang_or_babble_cost_only_their_bad_lines(
    file_remote: BareRepository, tmp_path: Path
) -> None:
    """What was written before a crash or a time-out counts; what is no op is put aside."""
    with clone(tmp_path, file_remote, "a") as app:
        theatre = found(app)
        part = Part(command=words(tmp_path), streams=4, frames=1, timeout=1.5, grace=0.2)
        said = perform(theatre, part)
        page = theatre.history.at(None)
        counts = json.loads(page.scene.read("counts.json") or b"{}")
        assert counts == dict.fromkeys(AGENTS, 1)
        aside = {(q.stream, q.line) for q in page.frame.quarantined}
        assert {stream for stream, _ in aside} == {"1", "2"}
        ended = {n.detail["stream"]: n.detail["outcome"] for n in said if n.kind == "stream"}
        assert ended == {"2": "timed-out", "3": "failed"}
        assert theatre.history.replay(page).differences == ()


def test_a_world_on_disk_shares_what_did_not_change(
    file_remote: BareRepository, tmp_path: Path
) -> None:
    """A frame that touches one of many documents writes one, in the directory it takes over."""
    seen: list[tuple[tuple[int, int], bytes]] = []

    def look(view: StreamView) -> Iterable[Op]:
        hall = (view.world / "town" / "hall.json").stat()
        assert not (hall.st_mode | view.world.stat().st_mode) & 0o222
        record = (view.world / "frame.json").read_bytes()
        seen.append(((hall.st_ino, hall.st_ctime_ns), record))
        return count(view)

    with clone(tmp_path, file_remote, "a") as app:
        theatre = found(app)
        perform(theatre, Part(command=look, frames=3))
        halls, records = {hall for hall, _ in seen}, {record for _, record in seen}
        assert len(seen) == 3 and len(halls) == 1 and len(records) == 3
        left = [p for p in theatre.directory.rglob("worlds/*") if p.is_dir()]
        assert len(left) == 1, "the worlds of frames gone by are cleared away"


def test_a_clone_takes_a_part_of_the_history_and_deepens_it_when_asked(
    file_remote: BareRepository, tmp_path: Path
) -> None:
    """Reading the current frame needs nothing of the past; the past can still be had."""
    config = World(deadline=30.0, lease=20.0, keep=3)
    with clone(tmp_path, file_remote, "a") as app:
        perform(found(app, config), Part(command=count, frames=8))
    with clone(tmp_path, file_remote, "b") as app:
        theatre = Theatre(app, settle=0.2)
        standing = theatre.standing()
        assert standing.scene.number >= 8 and standing.scene.read("counts.json")
        assert len(theatre.history.log()) == 3
        assert perform(theatre, Part(command=count, frames=2))[-1].kind == "stopped"
        last = theatre.history.at(None).frame.number
        assert theatre.history.replay(theatre.history.at(last)).differences == ()
        assert theatre.history.replay(theatre.history.at(2)).differences == ()
        assert [p.frame.number for p in theatre.history.log()] == list(range(last, -1, -1))


def test_a_frame_takes_no_more_than_the_world_allows(
    file_remote: BareRepository, tmp_path: Path
) -> None:
    """The good lines before the bound count, who writes little is not cut, all is told."""
    limits = Limits(stream=4000, delta=5000, frame=4500, document=400)

    def pour(view: StreamView) -> Iterable[Op]:
        much = 200 if "agent-0" in view.agents else 1
        for number in range(much):
            yield Incr("counts.json", f"/{view.stream}", 1)
            yield Append("log.json", "", f"{view.stream} said {number}")

    with clone(tmp_path, file_remote, "a") as app:
        theatre = found(app, World(deadline=30.0, lease=20.0, limits=limits))
        perform(theatre, Part(command=pour, streams=4, frames=1))
        history = theatre.history
        page = history.at(None)
        counts = json.loads(page.scene.read("counts.json") or b"{}")
        assert sorted(counts.values())[:3] == [1, 1, 1] and 10 < max(counts.values()) < 60
        log = page.scene.read("log.json") or b""
        assert 100 < len(log) <= 400 and len({word.split()[0] for word in json.loads(log)}) == 4
        reasons = {q.reason for q in page.frame.quarantined}
        assert any("the rest is not read" in reason for reason in reasons)
        assert any("log.json would have more than 400 bytes" in reason for reason in reasons)
        assert history.replay(page).differences == ()


def test_what_cannot_be_played_is_refused_at_once(
    file_remote: BareRepository, tmp_path: Path
) -> None:
    with clone(tmp_path, file_remote, "a") as app:
        theatre = Theatre(app)
        with pytest.raises(Refused) as refused:
            perform(theatre, Part(command=count))
        assert (refused.value.code, refused.value.next) == ("no_world", "baton frame init")
        with pytest.raises(Refused) as refused:
            Theatre(app, branch="bay").standing()
        assert refused.value.next == "baton frame init --world bay"
        found(app)
        with pytest.raises(InvalidInput), theatre.worker(Part(command=["no-such"]), print):
            pass
        with (
            theatre.worker(Part(command=count, name="me"), print),
            pytest.raises(Refused) as refused,
            theatre.worker(Part(command=count, name="me"), print),
        ):
            pass
        assert refused.value.code == "name_taken"
        with pytest.raises(InvalidInput):
            Theatre(app, branch="no..branch")
