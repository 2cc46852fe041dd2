"""``baton session``: many sessions in one clone, each known, and apart where it gets crowded."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import click

from gitbaton.cli.output import Cell, Output
from gitbaton.cli.request import Request
from gitbaton.cli.sessionview import ended_document, session_document, tell_ended
from gitbaton.cli.verb import compose, family
from gitbaton.commons import Commons
from gitbaton.core.errors import InvalidInput
from gitbaton.core.process import Process, find_process, find_shell
from gitbaton.workspace.sessions.desk import Desk, Ended, Wish
from gitbaton.workspace.sessions.roll import Session, Stage

command = family(
    "session",
    """Share one clone among many sessions.

    A session is known by a process: it lasts as long as that runs. When a working tree is crowded
    ([sessions] threshold), a new session gets a worktree of its own, and it is removed again when
    nothing in it would be lost.
    """,
)

_start_options = compose(
    click.option("--name", metavar="NAME", help="Its name; the default is made up."),
    click.option(
        "--worktree/--no-worktree",
        "own_tree",
        default=None,
        help="In a worktree of its own, or not; the default: as it gets crowded.",
    ),
)


@command.member("start")
@_start_options
@click.option("--pid", type=int, metavar="PID", help="Lasts as long as PID; default: the caller.")
@click.option("--resume", metavar="NAME", help="Go on in the worktree that was kept of NAME.")
def start(
    request: Request,
    name: str | None,
    own_tree: bool | None,
    pid: int | None,
    resume: str | None,
) -> None:
    """Start a session, and print what a shell needs for it.

    Use it as: eval "$(baton session start)". It lasts as long as that shell; where each command
    runs in a shell of its own, name a process that stays: --pid PID.
    """
    if resume is not None and (name is not None or own_tree is not None):
        raise click.UsageError("--resume takes the session as it was: give no other option")
    commons = Commons(request.app)
    desk = commons.desk
    owner = _owner(request, find_shell(os.getppid()) if pid is None else pid)
    _tell_swept(request, desk.sweep())
    current = _current(request, desk, owner) if name is None and own_tree is None else None
    if resume is not None:
        session = desk.resume(resume, owner)
    else:
        wish = Wish(owner=owner, name=name, own_tree=own_tree)
        session = current or desk.start(wish, commons.head())
    variables = desk.variables(session)
    request.output.note(_words(session, desk))
    request.output.answer(
        {"session": session_document(session, desk), "env": variables, "cd": session.place},
        lambda out: _print_script(out, variables, session),
    )


@command.member("list")
def list_sessions(request: Request) -> None:
    """List the sessions of this clone, and the worktrees that were kept. Clears dead ones away."""
    desk = Commons(request.app).desk
    swept = desk.sweep()
    _tell_swept(request, swept)
    sessions = list(desk.roll())
    document = {
        "sessions": [session_document(session, desk) for session in sessions],
        "cleared": [ended_document(ended) for ended in swept],
    }
    request.output.answer(document, lambda out: _print_list(out, sessions, desk))


@command.member("end")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--force", is_flag=True, help="Also if another process still runs in it.")
def end(request: Request, name: str | None, force: bool) -> None:
    """End a session: NAME, or the one that the command runs in (BATON_SESSION).

    Its worktree is removed unless something in it would be lost; then it is kept and listed. A
    session that is over already is no error.
    """
    wanted = name or request.env.get("BATON_SESSION")
    if not wanted:
        raise InvalidInput(
            "NAME",
            "this shell is in no session: say which one ends",
            next="baton session list, then baton session end NAME",
        )
    desk = Commons(request.app).desk
    known = desk.roll().find(wanted)
    if known is None:
        request.output.answer(
            {"name": wanted, "ended": False, "kept": None, "reasons": []},
            lambda out: out.say(f"there is no session {wanted} (any more)"),
        )
        return
    mine = wanted == request.env.get("BATON_SESSION")
    ended = desk.end(wanted, force=force or mine)
    request.output.answer(ended_document(ended), lambda out: tell_ended(out.say, ended))


@command.member("exec")
@click.argument("argv", metavar="-- CMD…", nargs=-1, required=True, type=click.UNPROCESSED)
@_start_options
@click.option("--task", "task", metavar="ID", help="Claim this task for CMD; 75 if it is held.")
@click.option("--agent", metavar="NAME", help="Claim under this name.")
def execute(
    request: Request,
    argv: tuple[str, ...],
    name: str | None,
    own_tree: bool | None,
    task: str | None,
    agent: str | None,
) -> int:
    """Run CMD in a session of its own, and end that afterwards.

    With --task the task is claimed first: where somebody has it, nothing is started. The claim is
    renewed meanwhile; when CMD succeeds the task is done (with the branch, if CMD committed in a
    worktree of its own), else it is released. The exit status is that of CMD, or 76 if the claim
    was taken away.
    """
    from gitbaton.cli.sessionrun import run_session
    from gitbaton.cli.underclaim import require_command

    require_command(request, argv)
    if agent is not None and task is None:
        raise click.UsageError("--agent goes with --task")
    commons = Commons(request.app)
    _tell_swept(request, commons.desk.sweep())
    return run_session(request, commons, argv, name=name, own_tree=own_tree, task=task, agent=agent)


def _owner(request: Request, pid: int) -> Process:
    found = find_process(pid, origin=request.app.clock.origin)
    if found is None:
        raise InvalidInput(
            "--pid", f"there is no process {pid}", next='eval "$(baton session start)"'
        )
    return found


def _current(request: Request, desk: Desk, owner: Process) -> Session | None:
    """Return the session that the caller is in already, if the same process keeps it."""
    known = desk.roll().find(request.env.get("BATON_SESSION") or "")
    return known if known and (known.owner, known.stage) == (owner, Stage.ACTIVE) else None


def _words(session: Session, desk: Desk) -> str:
    where = f"shares {session.place}"
    if session.tree is not None:
        where = f"works in {session.tree.path}, on branch {session.tree.branch}"
    return f"session {session.name} {where}; it lasts as long as process {session.owner.pid}"


def _tell_swept(request: Request, swept: Sequence[Ended]) -> None:
    for ended in swept:
        tell_ended(request.output.note, ended)


def _print_script(out: Output, variables: dict[str, str], session: Session) -> None:
    lines = [f"export {key}={shlex.quote(value)}" for key, value in variables.items()]
    if session.tree is not None:
        lines.append(f"cd {shlex.quote(session.tree.path)}")
    out.raw("".join(f"{line}\n" for line in lines))


def _print_list(out: Output, sessions: Sequence[Session], desk: Desk) -> None:
    if not sessions:
        out.say("no session is active")
        return
    rows: list[Sequence[Cell]] = [
        (
            session.name,
            str(session.stage),
            session.started,
            "-"
            if session.stage is Stage.KEPT
            else str((session.keeper(desk.alive) or session.owner).pid),
            session.task or "-",
            session.place,
        )
        for session in sessions
    ]
    out.table(("SESSION", "STATE", "SINCE", "PROCESS", "TASK", "WHERE"), rows)
    for session in sessions:
        if session.stage is Stage.KEPT:
            out.say(f"{session.name} is kept: {'; '.join(session.reasons)}")
            out.hint(f"  next: cd {shlex.quote(session.place)}; baton session end {session.name}")
