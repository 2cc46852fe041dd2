"""``baton worker``: the machines that work on this project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gitbaton.app import App
from gitbaton.cli.doctor.printing import finding_document, print_findings
from gitbaton.cli.errors import DONE, INTERRUPTED, REFUSED
from gitbaton.cli.feeding import inbox_file_option
from gitbaton.cli.machines.examination import Visit, visit_here, visit_there
from gitbaton.cli.machines.listing import (
    find_others,
    print_others,
    print_workers,
    worker_document,
)
from gitbaton.cli.machines.reach import Machine, parse_host
from gitbaton.cli.machines.survey import survey_here
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import family
from gitbaton.cli.working import Audience, draining_on_signals, work_options
from gitbaton.core.errors import Refused
from gitbaton.core.ids import agent_name
from gitbaton.fleet import Fleet
from gitbaton.plans.registry.record import Address, WorkerRecord

command = family(
    "worker",
    """Add, list and examine the machines that work on this project, and work on one.

    A machine takes tasks once a worker serves on it. It needs no port and no service: tasks and
    results travel through the git remote, and messages by ssh.
    """,
)

_PATH = click.option("--path", metavar="DIR", help="The clone there; default: as here.")
_PROGRAM = click.option(
    "--program", metavar="PATH", help="What baton is called there; default: baton."
)


@command.member("add")
@click.argument("host", metavar="HOST")
@click.option("--name", metavar="NAME", help="The worker's name; default: the machine's.")
@_PATH
@_PROGRAM
def add(
    request: Request, host: str, name: str | None, path: str | None, program: str | None
) -> None:
    """Go to a machine by ssh, see whether it can work, and record it.

    HOST is what your own ssh takes: HOST, USER@HOST, a name of ssh_config, or
    ssh://USER@HOST:PORT. Nothing is asked: the key must be in an agent or without a passphrase.
    Adding a machine again changes how it is reached, and nothing else.
    """
    app = request.app
    fleet = Fleet(app)
    address = parse_host(host, path=path or str(app.clone.top), program=program or "baton")
    visit = _visit(app, fleet, address)
    if visit.survey is None or visit.problems:
        first = visit.problems[0]
        raise Refused(
            f"{host} cannot work yet: {first.text}",
            code="not_fit",
            next=first.next or f"baton worker doctor {host}",
        )
    survey = visit.survey
    worker = fleet.registry.add(
        agent_name(name or survey.machine, field="--name"),
        survey.machine,
        address,
        capabilities=survey.capabilities,
        toolchain=survey.toolchain,
        versions={"baton": survey.baton, **({"git": survey.git} if survey.git else {})},
    )
    document = {
        "worker": worker.name,
        "machine": worker.machine,
        "address": worker.address.text if worker.address else None,
        "findings": [finding_document(finding) for finding in visit.findings],
    }
    request.output.answer(document, lambda out: _print_added(out, worker, visit))


@command.member("serve")
@work_options
@click.option("--name", metavar="WORKER", help="The worker's name; the default is the machine's.")
@inbox_file_option
@click.option("--take-over", is_flag=True, help="Take the name, though a worker has it elsewhere.")
def serve(request: Request, files: tuple[Path, ...], take_over: bool, **options: Any) -> int:
    """Work on this machine until told to end, known to others and open to messages.

    As baton work, without an end of its own. Besides, tasks that others call this worker for
    are claimed at once, and messages that are about no task are answered by the agent, which
    publishes nothing. A machine whose tools or whose agent will not do takes nothing, and says
    why in baton worker list.

    The first ^C finishes the running tasks, the second stops them, saves their work and gives
    them back.
    """
    from gitbaton.cli.watching import WorkScreen
    from gitbaton.outpost import Outpost, Posting
    from gitbaton.wishes import Wishes

    wishes = Wishes(echo=request.output.verbose, **options)
    posting = Posting(files=files, take_over=take_over)
    with WorkScreen(request.output) as screen:
        audience = Audience(screen.show)
        with (
            Outpost(request.app, audience.tell).serving(wishes, posting) as worker,
            draining_on_signals(worker) as interrupted,
            audience.following(worker),
        ):
            worker.run()
    return INTERRUPTED if interrupted else DONE


@command.member("list")
def list_workers(request: Request) -> None:
    """List the workers that are known, and which of them are there.

    A worker is lost when it has missed three beats while this machine watched. A machine that
    looks for the first time believes the record; one whose last beat is long past by the clock
    is shown as silent. Who runs `baton work` announces nothing, and is listed by the tasks that
    it holds at the moment.
    """
    app = request.app
    view = app.queue.view()
    workers = Fleet(app).registry.sighted_in(view.snapshot)
    others = find_others(view.live.values(), workers)
    document = {
        "workers": [worker_document(seen) for seen in workers.found.values()],
        "others": others,
        "damaged": dict(workers.damaged),
    }

    def human(out: Output) -> None:
        print_workers(out, workers, app.clock.now())
        print_others(out, others)

    request.output.answer(document, human)


@command.member("doctor")
@click.argument("host", metavar="[HOST|WORKER]", required=False)
@_PATH
@_PROGRAM
def doctor(request: Request, host: str | None, path: str | None, program: str | None) -> int:
    """Say whether a machine can work: ssh, git, baton, the clone, the tools.

    Without HOST, this machine. The difference of the clocks is shown for information: nothing
    depends on it. Exit status: 0 without a problem, 1 with one.
    """
    app = request.app
    fleet = Fleet(app)
    if host is None:
        visit = visit_here(*survey_here(app, fleet))
    else:
        visit = _visit(app, fleet, _find(fleet, app, host, path, program))
    document = {
        "findings": [finding_document(finding) for finding in visit.findings],
        "survey": visit.survey,
    }
    request.output.answer(document, lambda out: print_findings(out, visit.findings))
    return REFUSED if visit.problems else DONE


def _visit(app: App, fleet: Fleet, address: Address) -> Visit:
    remote = app.remote.url if app.remote is not None else None
    with Machine(fleet.connections, address) as machine:
        return visit_there(machine, remote=remote, clock=app.clock)


def _find(fleet: Fleet, app: App, host: str, path: str | None, program: str | None) -> Address:
    """Return how to reach ``host``: a worker that is known by this name goes before a host."""
    known = fleet.registry.list().found.get(host)
    if known is not None and known.worker.address is not None:
        address = known.worker.address
        return Address(
            host=address.host,
            port=address.port,
            path=path or address.path,
            program=program or address.program,
        )
    return parse_host(host, path=path or str(app.clone.top), program=program or "baton")


def _print_added(out: Output, worker: WorkerRecord, visit: Visit) -> None:
    if not out.quiet:
        print_findings(out, visit.findings)
        out.say()
    address = worker.address.text if worker.address else ""
    out.say(f"added {worker.name}: {worker.machine}, reached at {address}")
    out.hint("  next, there: baton worker serve --agent PROFILE")
