"""One performance of a show, from the empty directory to nothing left behind."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from gitbaton.cli.demo.fleet import Fleet
from gitbaton.cli.demo.narrator import Narrator
from gitbaton.cli.demo.stage import Stage, TourFailed
from gitbaton.cli.demo.verdict import Verdict
from gitbaton.cli.output import Output
from gitbaton.core.errors import BatonError


class Show(Protocol):
    """What is performed: acts that are played, judged, and looked at in the end."""

    @property
    def stage(self) -> Stage: ...

    @property
    def tell(self) -> Narrator: ...

    @property
    def fleet(self) -> Fleet: ...

    def play(self) -> None:
        """Play everything up to the verification. Raises TourFailed naming what went wrong."""
        ...

    def sabotage(self) -> None:
        """Damage the result: the verification must notice."""
        ...

    def check(self) -> list[Verdict]:
        """Verify everything that was promised."""
        ...

    def look_around(self) -> None:
        """Show what came of it; only where everything was kept."""
        ...

    def farewell(self, kept: Path | None) -> None:
        """Say where everything is (``kept``: the directory, if it stays), and what to do next."""
        ...


def perform(
    out: Output,
    env: Mapping[str, str],
    make: Callable[[Path, Mapping[str, str], Narrator], Show],
    *,
    keep: bool = False,
    sabotage: bool = False,
) -> int:
    """Play what ``make`` makes of an empty directory, verify it, and return the exit status.

    What it started is ended in any case. ``keep``: keep the directory; one in which something went
    wrong is kept anyway. ``sabotage``: damage the result before it is verified. Raises TourFailed;
    with ``--json`` the document says it, with what was found out until then.
    """
    root = Path(tempfile.mkdtemp(prefix="baton-demo-")).resolve()
    narrator = Narrator(out)
    show = make(root, env, narrator)
    verdicts: list[Verdict] = []
    failure: TourFailed | None = None
    keeping = True
    try:
        with _terminable():
            failure = _play(show, verdicts, sabotage=sabotage)
        keeping = keep or failure is not None
    except KeyboardInterrupt:
        keeping = keep
        raise
    finally:
        if not keeping:
            shutil.rmtree(root)
    return _close(show, root if keeping else None, verdicts, failure)


def _play(show: Show, verdicts: list[Verdict], *, sabotage: bool) -> TourFailed | None:
    """Play and verify; return what went wrong, None when all is well."""
    try:
        try:
            show.play()
            if sabotage:
                show.sabotage()
            verdicts += show.check()
            if all(verdict.ok for verdict in verdicts):
                show.look_around()
        finally:
            show.fleet.end()
    except BatonError as error:
        return _failed(show, error.message)
    except OSError as error:
        return _failed(show, str(error))
    broken = [verdict.name for verdict in verdicts if not verdict.ok]
    return _failed(show, f"not kept: {'; '.join(broken)}") if broken else None


def _failed(show: Show, message: str) -> TourFailed:
    return TourFailed(
        f"{show.tell.where}: {message}", next=f"look around in {show.stage.root} (it is kept)"
    )


def _close(
    show: Show, kept: Path | None, verdicts: list[Verdict], failure: TourFailed | None
) -> int:
    """Say the last words, or raise ``failure`` for people; return the exit status."""
    narrator, out = show.tell, show.tell.out
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
    out.answer(document, lambda _: _say_goodbye(show, kept))
    return 0


def _say_goodbye(show: Show, kept: Path | None) -> None:
    show.tell.out.say(f"\nAll of it holds. {show.tell.seconds:g} s, no network, no server.")
    show.farewell(kept)


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
