"""Was everything kept that was promised? Read back from the remote, with git and ``--json``.

Nothing here knows how baton works inside: only the refs, the trailers and the subjects that are
documented.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from gitbaton.cli.demo import script
from gitbaton.cli.demo.race import ONE_WINNER
from gitbaton.cli.demo.snapshot import take_snapshot
from gitbaton.cli.demo.stage import DESK, Stage
from gitbaton.cli.demo.verdict import Verdict, judge

_TRAILERS: Final = "%(trailers:key=Baton-Task,valueonly,separator=%x20)"
_TASKS: Final = frozenset(errand.id for errand in script.ERRANDS)


class Evidence:
    """What the tour saw and what the remote says; each is read once.

    ``lost``: tasks whose claim was taken away -> the epoch of that claim. ``late_commit``: what
    the zombie wanted on main.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        before: Mapping[str, Mapping[str, str]],
        race: Sequence[int],
        lost: Mapping[str, int],
        late_commit: str,
    ) -> None:
        self.stage = stage
        self.before = before
        self.race = race
        self.lost = lost
        self.late_commit = late_commit

    def git(self, *words: str) -> str:
        """Ask the remote's repository."""
        return self.stage.git(self.stage.hub, *words)

    @cached_property
    def tasks(self) -> Mapping[str, Any]:
        """Every task as ``baton list`` shows it."""
        tasks = self.stage.baton(DESK, "list", "--json").json["tasks"]
        return {task["id"]: task for task in tasks}

    @cached_property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The audit log, oldest first."""
        events: list[Mapping[str, Any]] = self.stage.baton(DESK, "log", "--json").json["events"]
        return events[::-1]

    @cached_property
    def landed(self) -> Sequence[tuple[str, str]]:
        """The commits on main that name a task: (task, commit)."""
        lines = self.git("log", f"--format=%H {_TRAILERS}", "main").splitlines()
        pairs = (line.split(" ", 1) for line in lines)
        return [(task.strip(), commit) for commit, task in pairs if task.strip()]

    @cached_property
    def rescues(self) -> Sequence[str]:
        """The rescue refs."""
        return self.git("for-each-ref", "--format=%(refname)", "refs/baton/rescue").splitlines()

    @cached_property
    def kept(self) -> Mapping[str, str]:
        """Every commit that a branch or a rescue ref keeps -> its subject."""
        out = self.git("log", "--format=%H %s", "--branches", "--glob=refs/baton/rescue/*")
        return dict(line.partition(" ")[::2] for line in out.splitlines())

    @cached_property
    def blobs(self) -> frozenset[tuple[str, str]]:
        """Every (path, blob) in a commit that a branch or a rescue ref keeps."""
        out = self.git(
            "log",
            "--branches",
            "--glob=refs/baton/rescue/*",
            *("-m", "--root", "--raw", "--no-abbrev", "--no-renames", "--format="),
        )
        rows = (line.partition("\t") for line in out.splitlines() if line.startswith(":"))
        return frozenset((path, head.split()[3]) for head, _, path in rows)


def verify(evidence: Evidence) -> list[Verdict]:
    """Return one verdict a promise."""
    return [judge(name, find(evidence)) for name, find in _PROMISES.items()]


# --- each yields what breaks the promise


def _unfinished(evidence: Evidence) -> Iterable[str]:
    for task in sorted(_TASKS - evidence.tasks.keys()):
        yield f"{task} is not there"
    for task, found in evidence.tasks.items():
        if found["status"] != "done":
            yield f"{task} is {found['status']}"


def _not_once(evidence: Evidence) -> Iterable[str]:
    logged = Counter(e["task"] for e in evidence.events if e["event"] == "done")
    told = evidence.git("log", "--format=%s", "baton", "--glob=refs/baton/tasks/*").splitlines()
    in_git = Counter(s.split()[1] for s in told if s.startswith("done: "))
    for task in sorted(_TASKS):
        if (logged[task], in_git[task]) != (1, 1):
            yield f"{task}: finished {logged[task]} times in the log, {in_git[task]} in git"


def _not_landed_once(evidence: Evidence) -> Iterable[str]:
    landings = Counter(task for task, _ in evidence.landed)
    for task in sorted(_TASKS - {script.RACE}):
        if landings[task] != 1:
            yield f"{task}: {landings[task]} commits on main"
        result = evidence.tasks[task]["result"]
        if (task, result["commit"]) not in evidence.landed:
            yield f"{task}: its result {result['commit'][:8]} is not its commit on main"
    branch = evidence.git("rev-parse", f"refs/heads/task/{script.RACE}")
    if evidence.tasks[script.RACE]["result"]["commit"] != branch:
        yield f"task/{script.RACE} is not where its record says"


def _held_twice(evidence: Evidence) -> Iterable[str]:
    epochs = defaultdict(list)
    for event in evidence.events:
        if event["event"] == "claim":
            epochs[event["task"]].append(event["epoch"])
    for task in sorted(_TASKS):
        if epochs[task] != sorted(set(epochs[task])) or not epochs[task]:
            yield f"{task}: claimed in the epochs {epochs[task]}"
    if tuple(sorted(evidence.race)) != ONE_WINNER:
        yield f"the race ended with {evidence.race}"


def _not_in_git(evidence: Evidence) -> Iterable[str]:
    reachable = set(evidence.git("rev-list", "baton", "--glob=refs/baton/*").splitlines())
    for event in evidence.events:
        if event["commit"] not in reachable:
            yield f"{event['subject']}: {event['commit'][:8]} is not in git's history"


def _destroyed(evidence: Evidence) -> Iterable[str]:
    """A commit that landed as a copy on main's tip is kept if its subject and content are."""
    entries = sorted((evidence.stage.root / "ledger").glob("*.json"))
    if len(entries) < len(_TASKS):
        yield f"only {len(entries)} pieces of work were noted"
    for entry in entries:
        noted = json.loads(entry.read_text(encoding="utf-8"))
        commit = noted.get("commit")
        subject = f"Write {noted['task']}, attempt {noted['epoch']}"
        if commit and commit not in evidence.kept and subject not in evidence.kept.values():
            yield f"{noted['task']}: nothing keeps the commit {commit[:8]}"
        if (noted["path"], noted["blob"]) not in evidence.blobs:
            yield f"{noted['task']}: nothing keeps {noted['path']} of epoch {noted['epoch']}"


def _came_late(evidence: Evidence) -> Iterable[str]:
    """A refused push leaves nothing; only a rescue may have brought the same commit since."""
    objects = evidence.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    late = evidence.late_commit
    if late in objects.split() and evidence.git("for-each-ref", "--contains", late, "refs/heads"):
        yield f"the zombie's commit {late[:8]} is on a branch"


def _not_rescued(evidence: Evidence) -> Iterable[str]:
    for task, epoch in evidence.lost.items():
        prefix = f"refs/baton/rescue/{task}/{epoch}-"
        if not any(ref.startswith(prefix) for ref in evidence.rescues):
            yield f"{task}: no rescue ref for epoch {epoch}"
        if evidence.tasks[task]["attempts"] < 1:
            yield f"{task}: no attempt was counted"


def _changed_clones(evidence: Evidence) -> Iterable[str]:
    for name, before in evidence.before.items():
        after = take_snapshot(evidence.stage, evidence.stage.place(name))
        for part in before:
            if before[part] != after[part]:
                yield f"{name}: {part} changed"


def _broken_product(evidence: Evidence) -> Iterable[str]:
    stage, place = evidence.stage, evidence.stage.root / "product"
    stage.git(stage.root, "clone", "-q", str(stage.hub), str(place))
    stage.python(place, "play.py", "--check")
    rooms = len(list((place / "rooms").glob("*.json")))
    if rooms != len(_TASKS) - 2 or not (place / "MAP.md").is_file():
        yield f"{rooms} rooms, and {'a' if (place / 'MAP.md').is_file() else 'no'} map"


_PROMISES: Final[Mapping[str, Callable[[Evidence], Iterable[str]]]] = {
    f"all {len(_TASKS)} tasks are done": _unfinished,
    "each was finished exactly once, in the log and in git": _not_once,
    "each landed exactly once: one commit on main, or its branch": _not_landed_once,
    "nobody shared a claim: one holder an epoch, epochs only go up": _held_twice,
    "every line of the audit log is a commit on the board": _not_in_git,
    "nothing that an agent wrote is lost: landed or rescued": _destroyed,
    "the zombie's push changed nothing": _came_late,
    "the work of the killed and of the late worker is rescued": _not_rescued,
    "the three clones are as they were (refs, index, config, stash)": _changed_clones,
    "the game on main is complete and passes its check": _broken_product,
}
