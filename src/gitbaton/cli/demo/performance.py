"""One performance of the tour, from the empty directory to nothing left behind."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gitbaton.cli.demo.narrator import Narrator
from gitbaton.cli.demo.stage import MACHINES, Stage, TourFailed
from gitbaton.cli.demo.tour import Tour
from gitbaton.cli.demo.verify import Verdict
from gitbaton.cli.output import Output
from gitbaton.core.errors import BatonError


def perform(
    out: Output, env: Mapping[str, str], *, keep: bool = False, sabotage: bool = False
) -> int:
    """Play the tour, verify it, and return the exit status. What it started is ended in any case.

    ``keep``: keep the directory; one in which something went wrong is kept anyway. ``sabotage``:
    damage the result before it is verified. Raises TourFailed; with ``--json`` the document says
    it, with what was found out until then.
    """
    root = Path(tempfile.mkdtemp(prefix="baton-demo-")).resolve()
    narrator = Narrator(out)
    verdicts: list[Verdict] = []
    failure: TourFailed | None = None
    keeping = True
    try:
        with _terminable():
            failure = _play(Tour(Stage(root, env), narrator), verdicts, sabotage=sabotage)
        keeping = keep or failure is not None
    except KeyboardInterrupt:
        keeping = keep
        raise
    finally:
        if not keeping:
            shutil.rmtree(root)
    return _close(narrator, root if keeping else None, verdicts, failure)


def _play(tour: Tour, verdicts: list[Verdict], *, sabotage: bool) -> TourFailed | None:
    """Play and verify; return what went wrong, None when all is well."""
    try:
        try:
            tour.play()
            if sabotage:
                _remove_landing(tour.stage)
            verdicts += tour.check()
            if all(verdict.ok for verdict in verdicts):
                tour.look_around()
        finally:
            tour.fleet.end()
    except BatonError as error:
        return _failed(tour, error.message)
    except OSError as error:
        return _failed(tour, str(error))
    broken = [verdict.name for verdict in verdicts if not verdict.ok]
    return _failed(tour, f"not kept: {'; '.join(broken)}") if broken else None


def _failed(tour: Tour, message: str) -> TourFailed:
    return TourFailed(
        f"{tour.tell.where}: {message}", next=f"look around in {tour.stage.root} (it is kept)"
    )


def _close(
    narrator: Narrator, kept: Path | None, verdicts: list[Verdict], failure: TourFailed | None
) -> int:
    """Say the last words, or raise ``failure`` for people; return the exit status."""
    out = narrator.out
    document: dict[str, Any] = {
        "ok": failure is None,
        "seconds": narrator.seconds,
        "directory": None if kept is None else str(kept),
        "acts": [asdict(act) for act in narrator.acts],
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }
    if failure is not None:
        if not out.json:
            raise failure
        error = {"code": failure.code, "message": failure.message, "next": failure.next}
        out.document(document | {"error": error})
        return 1
    out.answer(document, lambda _: _farewell(narrator, kept))
    return 0


def _farewell(narrator: Narrator, kept: Path | None) -> None:
    narrator.out.say(f"\nAll of it holds. {narrator.seconds:g} s, no network, no server.")
    if kept is not None:
        narrator.out.say(f"kept: {kept}")
        for name, words in _PLACES.items():
            narrator.line(f"{name:<30}{words}")
    else:
        narrator.out.hint("The directory is removed; to look around: baton demo --keep")
    narrator.out.hint('Next: in a clone of yours, baton init, and baton add "What is to be done"')


_PLACES: Final = {
    "hub.git": "the remote: branches main, task/poster and baton",
    "desk": "your clone: try baton -C desk log, status, graph",
    ", ".join(MACHINES): "as they were before",
    "product": "what came of it: python3 play.py",
    "logs": "what the workers said on standard error",
}


def _remove_landing(stage: Stage) -> None:
    """Take the last commit off main, behind everybody's back: the verification must notice."""
    stage.git(stage.hub, "update-ref", "refs/heads/main", "main~1")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let TERM and HUP end the tour as ^C does, with everything cleaned up."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
