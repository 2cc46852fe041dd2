"""The tables of the page, in Markdown (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.contenders.roster import TITLES
from benchmarks.document import Document, RaceResult, WorkResult
from benchmarks.report import commits, frames
from benchmarks.report.markdown import both, table
from benchmarks.scale import FULL
from benchmarks.targets import Reading, read_all

_VERDICTS = {True: "met", False: "**missed**", None: "not measured"}
_TITLES: dict[str, str] = {str(name): title for name, title in TITLES.items()}

_NOT_FULL = "This run was of a smaller scale than the targets are meant for.\n\n"


def render(document: Document) -> str:
    """Return everything that the results say, as Markdown."""
    parts = [
        _machine(document),
        _section("The targets", _targets(document)),
        _section("Claim latency", _latency(document)),
        _section("Contention", _races(document)),
        _section("Workers", _workers(document)),
        _section("Backlog", _backlog(document)),
        _section("Commits in a shared checkout", commits.render(document)),
        _section("Frames", frames.render(document)),
        _left_out(document),
    ]
    return "\n\n".join(part for part in parts if part)


def _section(title: str, body: str) -> str:
    return f"### {title}\n\n{body}" if body else ""


def _machine(document: Document) -> str:
    machine = document.machine
    servers = "; ".join(machine.servers.values()) or "none"
    present = [name for name, path in machine.tools.items() if path]
    tools = f"looked for {', '.join(machine.tools)}; found {', '.join(present) or 'none'}"
    return (
        f"Measured {document.started} in {document.seconds / 60:.0f} minutes (scale "
        f"`{document.scale}`), gitbaton {machine.gitbaton}, on {machine.cores} cores "
        f"({machine.processor}, {machine.memory_gib:g} GiB), {machine.kernel}, git {machine.git}, "
        f"Python {machine.python}. Load average {document.load_before:g} before, "
        f"{document.load_after:g} after. Servers: {servers}. Other tools: {tools}."
    )


def _targets(document: Document) -> str:
    rows = [
        [r.target, r.where, f"{r.sense} {_number(r.limit)} {r.unit}".strip(), *_outcome(r)]
        for r in read_all(document)
    ]
    note = "" if document.scale == FULL.name else _NOT_FULL
    return note + table(["target", "where", "wanted", "measured", "", "what bounds it"], rows)


def _outcome(reading: Reading) -> list[str]:
    measured = "" if reading.measured is None else f"{_number(reading.measured)} {reading.unit}"
    why = reading.why if reading.is_met is False else ""
    return [measured.strip(), _VERDICTS[reading.is_met], why]


def _latency(document: Document) -> str:
    rows = []
    for result in document.latency:
        trip = result.round_trip
        baseline = result.claims.get("tasks.json")
        for name, times in result.claims.items():
            rows.append(
                [
                    result.link,
                    _TITLES.get(name, name),
                    *both(times),
                    "" if trip is None or trip.p50 < 1 else f"{times.p50 / trip.p50:.1f}",
                    "" if baseline is None else f"{baseline.p50 / times.p50:.1f}",
                    str(times.count),
                ]
            )
        if trip is not None:
            rows.append([result.link, "one round trip", *both(trip), "", "", str(trip.count)])
    servers = {r.served_by for r in document.latency if r.link.startswith("https")}
    note = f"https is served by {' and by '.join(sorted(servers))}.\n\n" if servers else ""
    head = ["link", "", "p50, ms", "p99, ms", "round trips", "times faster than (a)", "claims"]
    return note + table(head, rows) if rows else ""


def _races(document: Document) -> str:
    rows = [
        [
            str(race.claimers),
            _TITLES.get(race.contender, race.contender) + _batch(race),
            f"{race.per_second:.1f}",
            _ratio(document, race),
            "" if race.pushes_per_claim is None else f"{race.pushes_per_claim:.2f}",
            f"{race.claims} of {race.tasks}",
            str(race.doubles + race.unconfirmed),
        ]
        for race in document.races
    ]
    head = ["claimers", "", "claims/s", "times (a)", "pushes a claim", "claimed", "doubles"]
    return table(head, rows)


def _batch(race: RaceResult) -> str:
    return f", {race.batch} a push" if race.batch > 1 else ""


def _ratio(document: Document, race: RaceResult) -> str:
    for other in document.races:
        if other.contender == "tasks.json" and other.claimers == race.claimers:
            return f"{race.per_second / other.per_second:.1f}"
    return ""


def _workers(document: Document) -> str:
    head = [
        "",
        "slots",
        "tasks",
        "thinking, s",
        "seconds",
        "tasks/min",
        "pushes a task",
        "CPU s a task",
    ]
    rows = [*_work_rows("pushes", document.pushes), *_work_rows("parallelism", document.parallel)]
    return table(head, rows)


def _work_rows(what: str, results: Sequence[WorkResult]) -> Iterator[list[str]]:
    for result in results:
        low, high = result.thinking
        yield [
            what,
            str(result.slots),
            str(result.tasks),
            str(low) if low == high else f"{low} to {high}",
            f"{result.seconds:.0f}",
            f"{result.per_minute:.1f}",
            f"{result.pushes_per_task:.2f}",
            f"{result.cpu_per_task:.2f}",
        ]


def _backlog(document: Document) -> str:
    head = ["tasks", "`add --from`, s", "first look, ms", "warm claim p50 / p99, ms"]
    head += ["ready in process p50, ms", "`baton ready --json` p50, ms"]
    rows = [
        [
            f"{b.size:,}",
            f"{b.add_s:.1f}",
            f"{b.first_look_ms:.0f}",
            " / ".join(both(b.claim)),
            f"{b.look.p50:.1f}",
            f"{b.command.p50:.0f}",
        ]
        for b in document.backlog
    ]
    return table(head, rows)


def _left_out(document: Document) -> str:
    lines = [f"- skipped: {missing.what}: {missing.why}" for missing in document.skipped]
    lines += [f"- failed: {missing.what}: {missing.why}" for missing in document.failed]
    return _section("Left out", "\n".join(lines))


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
