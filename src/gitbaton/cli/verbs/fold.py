"""``baton fold``: brings the board up to date now."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.app import App
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.store.protocol import TidyReport


@verb("fold")
def command(request: Request) -> None:
    """Bring the board branch up to date now.

    Finished tasks move to the board, waiting ones get a ref of their own when there is room, what
    a crash left half done is mended, and the shown state of active tasks is refreshed. Workers do
    this by themselves when it is due; doing it twice is harmless.
    """
    app = request.app
    settled = _settle(app)
    report = app.store.tidy(force=True)
    document = {
        "engine": app.settings.engine,
        "folded": report.folded,
        "staged": report.staged,
        "repaired": report.repaired,
        "refreshed": report.refreshed,
        "notes": (*settled, *report.notes),
    }
    board = app.settings.board if app.settings.engine == "git" else None
    request.output.answer(document, lambda out: _print(out, report, board, settled))


def _settle(app: App) -> list[str]:
    """Complete what a dying server left half done: workers know it by live records only."""
    if app.settings.engine != "git":
        return []
    from gitbaton.workshop import Workshop

    return Workshop(app, lambda _: None).settler().run()


def _print(out: Output, report: TidyReport, board: str | None, settled: Sequence[str]) -> None:
    if board is None:
        out.say("nothing to fold: without a remote there is no board (engine: sqlite)")
        return
    counts = {
        "folded": report.folded,
        "staged": report.staged,
        "mended": report.repaired,
    }
    words = [f"{count} {word}" for word, count in counts.items() if count]
    if words:
        out.say(f"board {board}: {', '.join(words)}")
    else:
        out.say(f"board {board}: {'refreshed' if report.refreshed else 'up to date'}")
    for note in (*settled, *report.notes):
        out.say(f"  {note}")
