"""Commits from a working tree that many share: how many succeed, how long they take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.clients.calling import call, end, finish, start
from benchmarks.clients.commits import CommitJob, CommitTimes
from benchmarks.clients.committing import CommitWay
from benchmarks.clients.neighbour import NeighbourJob
from benchmarks.document import CommitLatency, CommitRace, HookedCommits, summarise
from benchmarks.parts.session import Session

_PATIENCE: Final = 900.0
_NEIGHBOUR: Final = "neighbour.txt"
_WARM_UP: Final = 2
# Looks at what is committed and at what lies beside it, as linters do.
_HOOK: Final = """\
#!/bin/sh
set -e
git diff --cached --name-only | xargs cat > /dev/null
ls -R > /dev/null
"""


def run(session: Session) -> None:
    """Measure alone, in company, and with hooks in a large repository."""
    with session.attempt("commits: one process, no hooks"):
        _measure_alone(session)
    for way in ("wrapper", "command"):
        with session.attempt(f"commits: {session.scale.committers} processes, {way}"):
            _measure_race(session, way)
    with session.attempt(f"commits: hooks in {session.scale.commit_files} files"):
        _measure_hooks(session)


def _measure_alone(session: Session) -> None:
    top = _repository(session, "commits-alone", files=session.scale.commit_files)
    ways: list[CommitWay] = ["git", "library", "command"]
    job = CommitJob(str(top), ways, "d0/f0", session.scale.commits, _WARM_UP)
    times = call("commits", job, CommitTimes, env=session.lab.workplace.env, patience=_PATIENCE)
    found = {way: summarise(taken) for way, taken in times.made.items()}
    session.document.commits.append(CommitLatency(session.scale.commit_files, found))
    session.say("  " + ", ".join(f"{way} {taken.p50:.1f} ms" for way, taken in found.items()))


def _measure_race(session: Session, way: CommitWay) -> None:
    scale, env = session.scale, session.lab.workplace.env
    top = _repository(session, f"commits-{way}", files=100, racers=scale.committers)
    _add_hook(top)
    base = session.lab.workplace.git(top, "rev-parse", "HEAD").strip()
    with _neighbour(session, top):
        jobs = [
            CommitJob(str(top), [way], f"racer{number}.txt", scale.commits_each)
            for number in range(scale.committers)
        ]
        racers = [start("commits", job, env=env) for job in jobs]
        try:
            times = [finish(racer, CommitTimes, patience=_PATIENCE) for racer in racers]
        finally:
            for racer in racers:
                end(racer)
    made = [taken for one in times for taken in one.made[way]]
    attempts = scale.committers * scale.commits_each
    result = CommitRace(
        contender=way,
        processes=scale.committers,
        attempts=attempts,
        committed=len(made),
        wrong=_count_wrong(session, top, base, expected=len(made)),
        times=summarise(made) if made else None,
    )
    session.document.commit_races.append(result)
    session.say(f"  {result.committed} of {attempts}, {result.wrong} wrong")


def _measure_hooks(session: Session) -> None:
    files = session.scale.commit_files
    top = _repository(session, "commits-hooks", files=files)
    _add_hook(top)
    job = CommitJob(str(top), ["library"], "d0/f0", session.scale.commits + 1)
    times = call("commits", job, CommitTimes, env=session.lab.workplace.env, patience=_PATIENCE)
    first, *later = times.made["library"]
    result = HookedCommits(files, round(first * 1000, 1), summarise(later))
    session.document.hooked_commits.append(result)
    session.say(f"  first {result.first_ms:.0f} ms, then {result.later.p50:.0f} ms")


def _repository(session: Session, name: str, *, files: int, racers: int = 0) -> Path:
    """Make a working tree with ``files`` files in directories of a hundred, all committed."""
    place = session.lab.workplace
    top = place.root / name
    place.git(place.root, "init", "-q", str(top))
    for number in range(files):
        path = top / f"d{number // 100}" / f"f{number % 100}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}\n" * 20)
    for name_ in (_NEIGHBOUR, *(f"racer{number}.txt" for number in range(racers))):
        (top / name_).write_text("first\n")
    place.git(top, "add", "--all")
    place.git(top, "commit", "-q", "-m", "first")
    return top


def _add_hook(top: Path) -> None:
    hook = top / ".git" / "hooks" / "pre-commit"
    hook.write_text(_HOOK)
    hook.chmod(0o755)


@contextmanager
def _neighbour(session: Session, top: Path) -> Iterator[None]:
    job = NeighbourJob(str(top), _NEIGHBOUR)
    with start("neighbour", job, env=session.lab.workplace.env) as process:
        try:
            yield
        finally:
            end(process)


def _count_wrong(session: Session, top: Path, base: str, *, expected: int) -> int:
    """Return how many commits hold not exactly their one file, or are not there at all."""
    listed = session.lab.workplace.git(
        top, "log", "-z", "--format=%x01%s", "--name-only", f"{base}..HEAD"
    )
    commits = [commit for commit in listed.split("\x01") if commit.strip("\0\n")]
    wrong = 0
    for commit in commits:
        subject, *paths = [part.strip("\n") for part in commit.split("\0") if part.strip("\n")]
        wrong += paths != [subject]
    return wrong + abs(expected - len(commits))
