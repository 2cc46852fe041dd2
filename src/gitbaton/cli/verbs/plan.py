"""``baton plan``: checks, shows, runs and watches plans."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gitbaton.cli.errors import DONE, REFUSED
from gitbaton.cli.fields import DURATION
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import family
from gitbaton.core.errors import Refused

if TYPE_CHECKING:
    from gitbaton.cli.plan.judging import Judged

SCHEMA: Final = "plan.schema.json"

_FILE = click.Path(path_type=Path)

command = family(
    "plan",
    """Check, show and run plans: files of phases that depend on each other.

    A phase becomes a task, so every verb for tasks is for phases too.
    """,
)


@command.member("new")
@click.argument("file", type=_FILE, default=Path("plan.toml"), metavar="[FILE]")
def new(request: Request, file: Path) -> None:
    """Write an example plan to FILE (default plan.toml), with a word on every key.

    Beside it goes plan.schema.json, by which editors complete and check plans. A file that
    exists is not overwritten.
    """
    from gitbaton.plans.scaffold import example_plan
    from gitbaton.plans.schema import shipped_schema

    place = request.directory / file
    schema = place.parent / SCHEMA
    _create(place, example_plan(SCHEMA), file)
    made = not schema.exists()
    if made:
        _create(schema, shipped_schema(), file.parent / SCHEMA)
    document = {"file": str(file), "schema": str(file.parent / SCHEMA), "schema_made": made}

    def human(out: Output) -> None:
        out.say(f"wrote {file}" + (f" and {file.parent / SCHEMA}" if made else ""))
        out.hint(f"  next: baton plan validate {file}")

    request.output.answer(document, human)


@command.member("validate")
@click.argument("file", type=_FILE)
@click.option("--offline", is_flag=True, help="Look at the file alone; ask no remote.")
def validate(request: Request, file: Path, offline: bool) -> int:
    """Say everything that is wrong with a plan, each with its line.

    In a clone the project and its workers are asked too: whether somebody has the capabilities
    and tools, and whether its branches are free.
    """
    from gitbaton.cli.plan.judging import judge_file, judged_document, problem_lines

    judged = judge_file(request, file, alone=offline)
    if judged.obstacle is not None:
        request.output.note(f"project and workers were not asked: {judged.obstacle}")

    def human(out: Output) -> None:
        for line in problem_lines(judged):
            out.say(line)
        plan, verdict = judged.verdict.plan, judged.verdict
        counts = f"{_count(verdict.errors, 'error')}, {_count(verdict.warnings, 'warning')}"
        if plan is None:
            out.say(f"{file}: {counts}")
            return
        out.say(f"{file}: {_count(plan.phases, 'phase')}, {counts}")
        out.hint(f"  next: baton plan show {file}")

    request.output.answer(judged_document(judged), human)
    return DONE if judged.failure is None else REFUSED


@command.member("show")
@click.argument("file", type=_FILE)
@click.option("--mermaid", is_flag=True, help="Print a mermaid diagram.")
@click.option("--svg", is_flag=True, help="Print an SVG picture.")
def show(request: Request, file: Path, mermaid: bool, svg: bool) -> int:
    """Draw the phases of a plan, each under what it needs, and the longest chain."""
    from gitbaton.cli.plan.judging import judge_file, judged_document

    if mermaid and svg:
        raise click.UsageError("choose one of --mermaid and --svg")
    judged = judge_file(request, file, alone=True)
    plan = judged.verdict.plan
    if plan is None:
        request.output.answer(judged_document(judged), lambda out: _refuse(out, judged))
        return REFUSED
    from gitbaton.cli.plan.showing import plan_document, plan_lines

    def human(out: Output) -> None:
        if svg:
            from gitbaton.cli.plan.svg import draw_svg

            out.say(draw_svg(plan))
        elif mermaid:
            from gitbaton.cli.graphing import draw_mermaid
            from gitbaton.plans.drafting import preview

            out.say(draw_mermaid(preview(plan)))
        else:
            for line in plan_lines(plan):
                out.say(line)

    request.output.answer(plan_document(plan), human)
    return DONE


@command.member("run")
@click.argument("file", type=_FILE)
@click.option(
    "--every",
    type=DURATION,
    metavar="D",
    help="How often to look; the default is a quarter of the shortest lease, at most 15s.",
)
def run(request: Request, file: Path, every: float | None) -> int:
    """Run a plan: make its phases tasks, offer those that are ready to workers, and watch.

    It may be interrupted and started again, here or elsewhere, and twice at once: all it knows is
    in the records. Started with a changed file, that file is in force: phases that run or are
    finished are left as they are. Ends with 0 when every phase is done, and with 1 when one failed
    or was called off and nothing else can go on. What waits for a person is waited for.
    """
    from gitbaton.cli.plan.judging import judge_file, problem_lines, read_plan_file
    from gitbaton.cli.plan.running import PlanScreen
    from gitbaton.headquarters import Headquarters
    from gitbaton.orchestration.standing import Verdict

    app, out = request.app, request.output
    app.protection()  # to run a plan the remote must answer: raises what keeps it from doing so
    data = read_plan_file(request, file)
    judged = judge_file(request, file, alone=False)
    for line in problem_lines(judged):
        out.note(line)
    if judged.failure is not None or judged.verdict.plan is None:
        raise judged.failure or Refused(
            f"{file} is no plan", code="invalid_plan", next=f"baton plan validate {file}"
        )
    if judged.obstacle is not None:
        raise Refused(judged.obstacle, code="not_asked", next="baton doctor")
    plan, headquarters = judged.verdict.plan, Headquarters(app)
    with PlanScreen(out, app.clock) as screen:
        manning = headquarters.orchestrator(plan, data, screen.show, every=every)
        with manning as (orchestrator, wait):
            verdict = orchestrator.run(wait, screen.seen)
    return DONE if verdict is Verdict.DONE else REFUSED


@command.member("status")
@click.argument("plan", metavar="FILE|NAME")
def status(request: Request, plan: str) -> None:
    """Show how far a plan is, its critical path, who runs what, and what waits for what."""
    from gitbaton.cli.plan.finding import find_plan
    from gitbaton.cli.plan.standing import print_status, status_document
    from gitbaton.headquarters import Headquarters

    wanted = find_plan(request, plan)
    app = request.app
    look = Headquarters(app).look(wanted.chart)
    in_force = None
    if wanted.digest is not None and look.plan is not None:
        in_force = look.plan.digest == wanted.digest
        if not in_force:
            request.output.note(f"{plan} is not the file in force; next: baton plan run {plan}")
    request.output.answer(
        status_document(look, in_force=in_force),
        lambda out: print_status(out, look, app.clock.now()),
    )


@command.member("branches")
@click.argument("plan", required=False, metavar="[FILE|NAME]")
@click.option("--prune", is_flag=True, help="Delete those that are merged and finished.")
@click.option("--dry-run", is_flag=True, help="With --prune: only say what would be deleted.")
def branches(request: Request, plan: str | None, prune: bool, dry_run: bool) -> int:
    """List the branches of the phases of a plan (of all plans): merged or not, and by whom.

    --prune deletes on the remote what is merged into the target, of finished phases, and nothing
    else: a branch of which anything is not in the target stays.
    """
    from gitbaton.cli.plan.branching import show_branches

    if dry_run and not prune:
        raise click.UsageError("--dry-run goes with --prune")
    return show_branches(request, plan, prune=prune, dry_run=dry_run)


@command.member("schema")
def schema(request: Request) -> None:
    """Print the JSON Schema of plan files, for editors and other programs."""
    from gitbaton.plans.schema import shipped_schema

    request.output.raw(shipped_schema())


def _refuse(out: Output, judged: Judged) -> None:
    """Say on standard error what is wrong: standard output may go to a picture's file."""
    from gitbaton.cli.plan.judging import problem_lines

    for line in problem_lines(judged):
        out.complain(line)


def _create(place: Path, text: str, named: Path) -> None:
    """Write a new file; raise Refused where there is one, or where none can be."""
    try:
        with place.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise Refused(
            f"{named} is there already", code="exists", next=f"baton plan validate {named}"
        ) from error
    except OSError as error:
        raise Refused(
            f"{named}: {error.strerror}", code="no_file", next="ls -ld " + str(named)
        ) from error


def _count(items: Sized, word: str) -> str:
    count = len(items)
    return f"1 {word}" if count == 1 else f"{count} {word}s"
