"""What a git host allows, and what is weaker where it does not (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gitbaton.cli.doctor.finding import Finding, note, ok, problem, warning
from gitbaton.git.probe import Ability, Names, Verdict

Verdicts = Mapping[Ability, Verdict]

_STEPS: Final = (
    "no atomic push: a landing takes two steps, and a worker that sleeps between them for longer "
    "than its lease can still move the branch; open tasks are never parked, so a large backlog "
    "means many refs"
)
_CHAINED: Final = (
    "refs only move forward: each heartbeat stays in the history instead of replacing the last, "
    "so the history grows while tasks are worked on"
)
_STAYING: Final = "nothing can be deleted: the refs of finished tasks stay on the host"


def judge_host(names: Names, found: Verdicts, left: Sequence[str]) -> Iterator[Finding]:
    """Say what the verdicts mean for a project that uses these names."""
    if found["create"].holds is False:
        yield _closed_namespace(names, found)
    elif found["create"].holds is None:
        yield warning(
            "host", _because("whether records can be made could not be told", found, "create")
        )
    else:
        yield from _records(names, found)
    yield from _branches(names, found)
    for ref in left:
        yield note(
            "host",
            f"{ref} was made by this probe and cannot be deleted; nobody reads it",
            next="delete it on the host",
        )


def refuses_everything(found: Verdicts) -> bool:
    """Tell whether nothing that gitbaton needs to write can be written."""
    return all(found[ability].holds is False for ability in ("create", "branch", "board"))


def advise_namespace(names: Names, found: Verdicts) -> str:
    """Return the configuration for a host that does not let records be where they should be."""
    if found["board"].holds:  # any branch, so it seems
        return '[store] namespace = "refs/heads/baton-records/"; then baton init --remote NAME'
    prefix = names.branch_prefix.partition("/")[0] if found["branch"].holds else "PREFIX"
    return (
        f'[store] namespace = "refs/heads/{prefix}/baton/", board = "{prefix}/board"'
        + ("" if found["branch"].holds else f'; [project] branch_prefix = "{prefix}/task/"')
        + "; then baton init --remote NAME"
    )


def _closed_namespace(names: Names, found: Verdicts) -> Finding:
    return problem(
        "host",
        _because(f"the host refuses refs below {names.namespace}", found, "create"),
        next=advise_namespace(names, found),
    )


def _records(names: Names, found: Verdicts) -> Iterator[Finding]:
    if found["list"].holds is False:
        yield problem(
            "host",
            f"the host takes refs below {names.namespace} and does not show them",
            next=advise_namespace(names, found),
        )
        return
    if found["cas"].holds is False:
        yield problem(
            "host",
            f"{found['cas'].reason}: two agents could hold one task here",
            next="use another host, or baton init --sqlite on one machine",
        )
    for ability in ("update", "guarded_delete", "whole"):
        if found[ability].holds is False:
            yield problem("host", _because(_BROKEN[ability], found, ability))
    for ability, words in _WEAKER.items():
        if found[ability].holds is False:
            yield warning("host", _because(words, found, ability))
    allowed = [words for ability, words in _ALLOWED.items() if found[ability].holds]
    if allowed:
        yield ok("host", f"below {names.namespace}: {', '.join(allowed)}")


def _branches(names: Names, found: Verdicts) -> Iterator[Finding]:
    meant = {
        "branch": (f"branches {names.branch_prefix}*", "[project] branch_prefix"),
        "board": (f"the board {names.board.removeprefix('refs/heads/')!r}", "[store] board"),
    }
    abilities: tuple[Ability, ...] = ("branch", "board")
    for ability in abilities:
        words, key = meant[ability]
        match found[ability].holds:
            case True:
                yield ok("host", f"{words} can be pushed")
            case False:
                text = _because(f"the host refuses {words}", found, ability)
                yield problem("host", text, next=f"{key} in baton.toml, or ask for the permission")
            case None:
                yield note("host", f"whether {words} can be pushed could not be told")


def _because(text: str, found: Verdicts, ability: Ability) -> str:
    reason = found[ability].reason
    return f"{text} ({reason})" if reason else text


_BROKEN: Final[Mapping[Ability, str]] = {
    "update": "a ref cannot be moved forward: no task can be claimed",
    "guarded_delete": "the host deletes a ref whose value is another than the one named",
    "whole": "the host applied half of a push that it refused: landings are not safe here",
}
_WEAKER: Final[Mapping[Ability, str]] = {
    "atomic": _STEPS,
    "replace": _CHAINED,
    "delete": _STAYING,
}
_ALLOWED: Final[Mapping[Ability, str]] = {
    "create": "create",
    "cas": "compare-and-swap",
    "replace": "replace",
    "delete": "delete",
    "atomic": "atomic pushes",
}
