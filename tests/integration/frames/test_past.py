"""Clones without the past: what is current needs nothing of it, and what is late finds it (I7)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gitbaton.app import App
from gitbaton.core.ids import Oid
from gitbaton.frames.delivery import delta_number
from gitbaton.frames.frame import Frame, World, encode_frame, encode_world
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.shallow import forget_ends
from gitbaton.theatre import Theatre
from tests.integration.frames.test_theatre import clone
from tests.servers.site import BareRepository, Site

LAST = 120
REFS = FrameRefs()


def commands(number: int, *, first: bool) -> bytes:
    """Return what makes git-fast-import(1) commit the frame ``number``."""
    files = {"frame.json": encode_frame(Frame(number=number, roster={}))}
    if first:
        files |= {
            "world.json": encode_world(World(deadline=30.0, lease=20.0)),
            "agents.json": b'["ann"]\n',
        }
    message = f"frame {number}: 0 ops from 0 deltas\n\nBaton-Frame: {number}\n".encode()
    lines = [
        b"commit refs/heads/world",
        b"committer Ada <ada@example.org> %d +0000" % (1_700_000_000 + number),
        b"data %d\n%s" % (len(message), message),
    ]
    if first:
        lines += [b"deleteall"]
    elif number == LAST + 1:
        lines += [b"from refs/heads/world^0"]
    for name, body in files.items():
        lines += [b"M 100644 inline " + name.encode(), b"data %d\n%s" % (len(body), body)]
    return b"\n".join([*lines, b""])


@pytest.fixture
def remote(file_remote: BareRepository) -> BareRepository:
    """A remote with a world of LAST frames, in which nobody did anything."""
    made = b"".join(commands(n, first=n == 0) for n in range(LAST + 1))
    file_remote.git("fast-import", "--quiet", stdin=made)
    return file_remote


def world_at(remote: BareRepository, number: int) -> str:
    """Return the commit of a frame."""
    tip = LAST if "frame 121:" not in remote.git("log", "-1", "--format=%s", "world") else LAST + 1
    return remote.git("rev-parse", f"world~{tip - number}")


def deliver(remote: BareRepository, pair: Pair) -> str:
    """Put a delta of one op on the remote, made from the world of its frame."""
    header = {"format": 1, "frame": pair.frame, "worker": pair.worker, "streams": {"1": {}}}
    op = b'{"op": "incr", "doc": "counts.json", "path": "/late"}\n'
    head = remote.git("hash-object", "-w", "--stdin", stdin=json.dumps(header).encode())
    body = remote.git("hash-object", "-w", "--stdin", stdin=op)
    inner = remote.git("mktree", stdin=f"100644 blob {body}\t1.jsonl\n".encode())
    listed = f"100644 blob {head}\tdelta.json\n040000 tree {inner}\tstreams\n"
    tree = remote.git("mktree", stdin=listed.encode())
    words = f"delta: {pair.worker} at frame {pair.frame}, 1 ops of 1 streams"
    person = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")
    parent = world_at(remote, pair.frame)
    made = remote.git(*person, "commit-tree", tree, "-p", parent, "-m", words)
    remote.git("update-ref", REFS.delta(pair), made)
    return made


def here(app: App, remote: BareRepository) -> int:
    """Return how many frames of the world the clone has."""
    frames = [Oid(line) for line in remote.git("rev-list", "--first-parent", "world").split("\n")]
    return len(frames) - len(app.repository.objects.missing(frames))


@pytest.mark.parametrize("verb", ["standing", "show", "look"])
def test_the_current_frame_brings_one_commit(
    remote: BareRepository, tmp_path: Path, verb: str
) -> None:
    """Whatever the world keeps: a fresh clone of a world of years is there at once."""
    with clone(tmp_path, remote, "a") as app:
        theatre = Theatre(app)
        if verb == "standing":
            assert theatre.standing().scene.number == LAST
        elif verb == "show":
            page = theatre.history.at(None)
            assert theatre.history.documents(page) and page.frame.number == LAST
        else:
            assert theatre.stage.look().scene.agents == ("ann",)
        assert here(app, remote) == 1


def test_the_past_comes_when_it_is_asked_for(remote_site: Site, tmp_path: Path) -> None:
    """Some frames for `log -n` and a late number, all for `log`; each on any server."""
    remote = remote_site.fresh()
    remote.git(
        "fast-import",
        "--quiet",
        stdin=b"".join(commands(n, first=n == 0) for n in range(LAST + 1)),
    )
    with clone(tmp_path, remote, "a") as app:
        history = Theatre(app).history
        assert [p.frame.number for p in history.log(limit=3)] == [120, 119, 118]
        assert 3 <= here(app, remote) < 30
        assert history.replay(history.at(100)).differences == ()
        assert history.replay(history.at(85)).differences == (), "the first that is here"
        assert here(app, remote) < 60
        assert len(history.log(limit=2)) == 2
        assert [p.frame.number for p in history.log()] == list(range(LAST, -1, -1))
        assert not app.repository.objects.is_shallow
        assert len(history.log()) == LAST + 1
        # Whoever works on branches of the clone has them whole, and the clone has no end.
        assert not (app.clone.common / "shallow").exists()


def test_a_clone_that_was_away_begins_again(remote: BareRepository, tmp_path: Path) -> None:
    """Between two commands as much as in a new clone; where history is whole it stays so."""
    with clone(tmp_path, remote, "a") as app:
        Theatre(app).standing()
    before = remote.git("rev-parse", "world")
    remote.git("update-ref", "refs/heads/world", "world~60")
    with clone(tmp_path, remote, "b") as app:
        Theatre(app).standing()
        remote.git("update-ref", "refs/heads/world", before)
        assert Theatre(app).standing().scene.number == LAST
        assert here(app, remote) == 2
        assert len(Theatre(app).history.log()) == LAST + 1
        subprocess.run(
            ["git", "-C", str(remote.path), "fast-import", "--quiet"],
            input=commands(LAST + 1, first=False),
            check=True,
        )
        assert Theatre(app).standing().scene.number == LAST + 1
        assert not app.repository.objects.is_shallow


def test_a_late_delta_brings_the_frames_since_and_no_more(
    remote: BareRepository, tmp_path: Path
) -> None:
    """A frame that took it leads back to the world that it was made from."""
    with clone(tmp_path, remote, "a") as app, clone(tmp_path, remote, "b") as other:
        watcher = Theatre(other).stage
        watcher.look()
        deliver(remote, Pair(LAST - 5, "late"))
        watcher.look()
        with Theatre(app, settle=0.0).primary(lambda news: None, frames=1) as lead:
            lead.run()
        assert watcher.look().scene.frame.merged == ((LAST - 5, "late"),)
        assert here(other, remote) < 40 and here(app, remote) < 40


def test_a_clone_without_the_past_repeats_no_delta(remote: BareRepository, tmp_path: Path) -> None:
    """I7: a delta that is there again after years was merged, and the records of then say so."""
    pair = Pair(LAST - 90, "late")
    made = deliver(remote, pair)
    for name in ("a", "b", "c"):
        with clone(tmp_path, remote, name) as app:
            theatre = Theatre(app, settle=0.0)
            if name == "b":
                remote.git("update-ref", REFS.delta(pair), made)
            if name == "c":
                deliver(remote, Pair(LAST - 2, "later"))
            with theatre.primary(lambda news: None, frames=1) as lead:
                if name == "b":  # there is nothing to be done: it only looks
                    view = theatre.stage.look()
                    assert view.scene.number == LAST + 1
                    continue
                assert lead.run() == 1
    with clone(tmp_path, remote, "d") as app:
        pages = Theatre(app).history.log(limit=2)
        assert [page.frame.merged for page in pages] == [((LAST - 2, "later"),), (tuple(pair),)]
        assert pages[0].scene.read("counts.json") == b'{\n "late": 2\n}\n'
    assert not [ref for ref in remote.refs() if "/frames/" in ref]


def test_ends_of_long_ago_are_forgotten(remote: BareRepository, tmp_path: Path) -> None:
    """Every fetch names them all: they must not grow with time. What refs lead to stays."""
    tip = remote.git("rev-parse", "world")
    with clone(tmp_path, remote, "a") as app:
        for back in (90, 60, 30, 1):
            remote.git("update-ref", "refs/heads/world", f"{tip}~{back}")
            Theatre(app).standing()
        file = app.repository.path / "shallow"
        assert len(file.read_text().split()) == 4
        assert forget_ends(app.repository, lambda subject: True, above=4) == 0
        assert forget_ends(app.repository, lambda subject: "frame 60:" in subject, above=0) == 1
        (file.parent / "shallow.lock").touch()
        assert forget_ends(app.repository, lambda subject: True, above=0) == 0
        (file.parent / "shallow.lock").unlink()
        assert forget_ends(app.repository, lambda subject: True, above=0) == 2
        assert file.read_text().split() == [remote.git("rev-parse", "world")]
        assert len(Theatre(app).history.log()) == LAST
    assert delta_number("delta: one at frame 17, 3 ops of 1 streams") == 17
    assert delta_number("frame 17: 3 ops from 1 deltas") is None
