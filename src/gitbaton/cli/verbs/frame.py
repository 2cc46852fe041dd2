"""``baton frame``: a fleet of agents that shares one living world, advanced tick by tick."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gitbaton.cli.errors import DONE, INTERRUPTED, REFUSED
from gitbaton.cli.fields import DURATION
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import compose, family
from gitbaton.core.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from gitbaton.cli.working import Audience
    from gitbaton.frames.news import News
    from gitbaton.frames.performance import Performance
    from gitbaton.theatre import Theatre

_FILE = click.Path(path_type=Path)
_SHOWN: Final = 12  # places of a document in `diff`

command = family(
    "frame",
    """Let agents share one living world: JSON documents on a branch, advanced frame by frame.

    Workers run their agents on frame N and publish what these want to change; whoever is primary
    merges it all and publishes frame N+1. Nothing is applied twice, and nothing is lost.
    """,
)

_WORLD = click.option(
    "--world", "branch", default="world", metavar="BRANCH", help="Its branch; default: world."
)
_FRAMES = click.option(
    "--frames", type=click.IntRange(1), metavar="N", help="End after N more frames."
)
_NUMBER = click.argument("number", type=click.IntRange(0), metavar="N")
_MAYBE = click.argument("number", type=click.IntRange(0), metavar="[N]", required=False)
_WORK = compose(
    click.option("--cmd", metavar="CMD", required=True, help="The command of a stream."),
    click.option(
        "--streams",
        type=click.IntRange(1, 1000),
        default=1,
        metavar="N",
        help="How many run side by side; the default is 1.",
    ),
    _FRAMES,
    click.option("--no-primary", is_flag=True, help="Never merge; leave that to others."),
    click.option("--name", metavar="WORKER", help="The worker's name; default: of this clone."),
    click.option("--timeout", type=DURATION, metavar="D", help="How long a stream may run."),
)


@command.member("init")
@click.option("--docs", type=_FILE, metavar="DIR", help="Its first documents: DIR/**.json.")
@click.option("--agents", type=_FILE, metavar="FILE", help="Who lives in it: names, one a line.")
@click.option("--deadline", type=DURATION, metavar="D", help="How long a frame waits.")
@click.option("--lease", type=DURATION, metavar="D", help="How long a worker may be silent.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Frames in a clone; 0: all.")
@_WORLD
def init(
    request: Request, docs: Path | None, agents: Path | None, branch: str, **given: Any
) -> None:
    """Make a world: frame 0 on a branch of its own. A world that is there is left as it is.

    DIR/world.json may configure it: deadline, lease, and the rules that say what comes of two
    who write one place. Without DIR the world is almost empty, and agents fill it.
    """
    from gitbaton.cli.frame.founding import read_founding

    places = (None if path is None else request.directory / path for path in (docs, agents))
    founding = read_founding(*places, **given)
    founded = _theatre(request, branch).found(founding)
    document = {
        "frame": founded.frame,
        "commit": founded.commit,
        "branch": founded.branch,
        "made": founded.made,
    }

    def human(out: Output) -> None:
        if founded.made:
            count = len(founding.documents)
            out.say(f"made a world of {count} documents: branch {founded.branch}, frame 0")
        else:
            out.say(f"there is a world on branch {founded.branch}, at frame {founded.frame}")
        out.hint(f"  next: baton frame work --cmd CMD{_named(branch)}")

    request.output.answer(document, human)


@command.member("work")
@_WORK
@_WORLD
def work(request: Request, cmd: str, branch: str, no_primary: bool, **given: Any) -> int:
    """Run agents on frame after frame, and publish what they want to change.

    Each of N streams gets a share of this worker's agents: CMD runs once a frame for each, with
    BATON_FRAME, BATON_WORLD (a directory, read only), BATON_AGENTS (a JSON file), BATON_STREAM
    and BATON_OPS, the file to append ops to, one JSON object a line. {frame}, {world}, {agents},
    {stream} and {ops} are filled in its words. No shell runs unless CMD names one.

    While nobody is primary this worker merges too. The first ^C finishes the frame, the second
    leaves at once; others take its agents over. Exit status 1: no stream of any frame ended well.
    """
    from gitbaton.cli.frame.screen import FrameScreen
    from gitbaton.cli.working import Audience
    from gitbaton.theatre import Part
    from gitbaton.work.command import parse_command

    words = parse_command(cmd, field="--cmd")
    part = Part(command=words, primary=not no_primary, **given)
    theatre = _theatre(request, branch)
    with FrameScreen(request.output, request.app.clock) as screen:
        audience = Audience(screen.show)
        return _perform(theatre.worker(part, audience.tell), audience)


@command.member("primary")
@_FRAMES
@_WORLD
def primary(request: Request, frames: int | None, branch: str) -> int:
    """Merge, and nothing else: for a machine that is always on.

    Best near the remote. It waits while another primary is there, and takes over when that one
    falls silent.
    """
    from gitbaton.cli.frame.screen import FrameScreen
    from gitbaton.cli.working import Audience

    theatre = _theatre(request, branch)
    with FrameScreen(request.output, request.app.clock) as screen:
        audience = Audience(screen.show)
        return _perform(theatre.primary(audience.tell, frames=frames), audience)


@command.member("status")
@_WORLD
def status(request: Request, branch: str) -> None:
    """Show the current frame, who is primary, and who is at work."""
    from gitbaton.cli.frame.standing import print_standing, standing_document

    standing = _theatre(request, branch).standing()
    now = request.app.clock.now()
    request.output.answer(
        standing_document(standing),
        lambda out: print_standing(out, standing, now, world=_named(branch)),
    )


@command.member("log")
@click.option("-n", "limit", type=click.IntRange(1), metavar="N", help="Only the last N frames.")
@_WORLD
def log(request: Request, limit: int | None, branch: str) -> None:
    """List the frames, newest first, and what each was made of."""
    from gitbaton.cli.frame.recording import LOG_COLUMNS, log_rows, page_document

    pages = _theatre(request, branch).history.log(limit=limit)
    request.output.answer(
        {"frames": [page_document(page) for page in pages]},
        lambda out: out.table(LOG_COLUMNS, list(log_rows(pages))),
    )


@command.member("show")
@_MAYBE
@click.argument("path", required=False, metavar="[PATH]")
@_WORLD
def show(request: Request, number: int | None, path: str | None, branch: str) -> None:
    """Show a frame: its record, or the document PATH in it.

    Without N, the current one.
    """
    from gitbaton.cli.frame.recording import page_document, print_page

    history = _theatre(request, branch).history
    page = history.at(number)
    documents = history.documents(page)
    if path is None:
        request.output.answer(
            page_document(page) | {"documents": documents},
            lambda out: print_page(out, page, documents),
        )
        return
    data = history.read(page, path)
    if data is None:
        raise Refused(
            f"frame {page.frame.number} has no document {path!r}",
            code="unknown_document",
            next=f"baton frame show {page.frame.number}{_named(branch)}",
        )
    if request.output.json:
        head = {"frame": page.frame.number, "commit": page.commit, "doc": path}
        request.output.document(head | {"content": _decode(path, data)})
    else:
        request.output.raw_bytes(data)


@command.member("diff")
@_NUMBER
@click.argument("other", type=click.IntRange(0), metavar="[M]", required=False)
@_WORLD
def diff(request: Request, number: int, other: int | None, branch: str) -> None:
    """Show what differs in the documents from frame N to frame M.

    With one number: what that frame changed.
    """
    from gitbaton.cli.frame.changes import changes_document, print_changes

    before, after = (number, other) if other is not None else (max(0, number - 1), number)
    history = _theatre(request, branch).history
    changes = history.diff(history.at(before), history.at(after))
    limit = 1_000_000 if request.output.verbose else _SHOWN
    request.output.answer(
        {"from": before, "to": after, "documents": changes_document(changes)},
        lambda out: print_changes(out, changes, limit=limit),
    )


@command.member("replay")
@_MAYBE
@click.option("--all", "every", is_flag=True, help="Every frame there is.")
@_WORLD
def replay(request: Request, number: int | None, every: bool, branch: str) -> int:
    """Merge a frame again from git, and compare it byte by byte.

    Exit status 1: it came out otherwise.
    """
    from gitbaton.cli.frame.replaying import all_same, print_replays, replay_document

    if (number is None) != every:
        raise click.UsageError("give a frame or --all")
    history = _theatre(request, branch).history
    pages = [p for p in history.log()[::-1] if p.frame.number] if every else [history.at(number)]
    replays = [history.replay(page) for page in pages]
    request.output.answer(
        replay_document(replays), lambda out: print_replays(out, replays, every=every)
    )
    return DONE if all_same(replays) else REFUSED


@command.member("demo")
@click.option("--keep", is_flag=True, help="Keep the directory, to look around.")
@click.option("--page", type=_FILE, metavar="FILE", help="Where the town's page is written.")
@click.option("--sabotage", is_flag=True, hidden=True, help="Damage the world before it is judged.")
def demo(request: Request, keep: bool, page: Path | None, sabotage: bool) -> int:
    """Take the tour: a town that survives, on an embedded remote.

    A hundred residents on three machines. A worker is killed, the primary is killed, one delivers
    too late; in the end git alone is asked whether everything that was promised holds, and there
    is a page to look at.
    """
    from gitbaton.cli.demo.performance import perform
    from gitbaton.cli.frame.demo.tour import open_town

    place = None if page is None else (request.directory / page).absolute()
    town = open_town(place)
    return perform(request.output, request.env, town, keep=keep, sabotage=sabotage)


def _theatre(request: Request, branch: str) -> Theatre:
    from gitbaton.theatre import Theatre

    return Theatre(request.app, branch=branch)


def _perform(opening: AbstractContextManager[Performance], audience: Audience[News]) -> int:
    from gitbaton.cli.working import draining_on_signals

    with (
        opening as performance,
        draining_on_signals(performance) as interrupted,
        audience.following(performance),
    ):
        performance.run()
    if interrupted:
        return INTERRUPTED
    if performance.in_vain:
        raise Refused(
            "no stream ended well in any frame: is the command right?",
            code="streams_failed",
            next="baton frame status",
        )
    return DONE


def _named(branch: str) -> str:
    return "" if branch == "world" else f" --world {branch}"


def _decode(name: str, data: bytes) -> Any:
    import json

    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidInput(name, f"it is no JSON: {error}", next="drop --json") from error
