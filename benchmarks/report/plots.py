"""The plots of the page, as SVG. Needs matplotlib (the dependency group ``bench``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders.roster import TITLES
from benchmarks.document import Document, FrameResult, Times, WorkResult

COLOURS: Final[Mapping[str, str]] = {
    "library": "#0072b2",
    "command": "#56b4e9",
    "tasks.json": "#d55e00",
    "tasks.json+": "#cc79a7",
    "tags": "#e69f00",
    "redis": "#777777",
}
"""Told apart by those who see fewer colours too. Source: Okabe and Ito, 2008."""

_STEPS: Final[Mapping[str, str]] = {
    "pull": "#0072b2",
    "push": "#e69f00",
    "publish": "#d55e00",
    "coordination": "#555555",
}
_STYLE: Final[dict[Any, Any]] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e5e5",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.hashsalt": "gitbaton",  # the same figures, the same file
    "savefig.facecolor": "white",
}


def draw_all(document: Document, directory: Path) -> list[Path]:
    """Draw what the results have figures for; return the files written."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    drawn = []
    directory.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        for name, draw in _PLOTS.items():
            figure: Any = draw(document, plt)
            if figure is None:
                continue
            path = directory / f"{name}.svg"
            figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
            plt.close(figure)
            drawn.append(path)
    return drawn


def _latency(document: Document, plt: Any) -> Any:
    """Claim latency against the measured round trip, one panel a kind of link; thin: to p99."""
    kinds = [kind for kind in ("https", "ssh") if any(_on_links(document, kind))]
    if not kinds:
        return None
    figure, panels = plt.subplots(
        1, len(kinds), figsize=(4.4 * len(kinds), 3.8), sharey=True, squeeze=False
    )
    for kind, panel in zip(kinds, panels[0], strict=True):
        lines: dict[str, list[tuple[float, Times]]] = {}
        for name, trip, times in _on_links(document, kind):
            lines.setdefault(name, []).append((trip, times))
        for name, points in lines.items():
            points.sort(key=lambda point: point[0])
            _line(panel, [(trip, times.p50) for trip, times in points], name)
            for trip, times in points:
                panel.vlines(trip, times.p50, times.p99, color=COLOURS[name], linewidth=0.8)
        longest = max(trip for points in lines.values() for trip, _ in points)
        ruler = [longest * step / 100 for step in range(1, 101)]
        panel.plot(ruler, ruler, color="#999999", linestyle=":", label="one round trip")
        _logarithmic(panel.yaxis)
        panel.set_title(kind)
        panel.set_xlabel("round trip, ms")
    panels[0][0].set_ylabel("one claim, p50, ms")
    panels[0][0].set_ylim(bottom=0.3)
    _legend(panels[0][-1])
    return figure


def _on_links(document: Document, kind: str) -> Iterator[tuple[str, float, Times]]:
    for result in document.latency:
        if result.link.startswith(f"{kind}-") and result.round_trip is not None:
            for name, times in result.claims.items():
                yield name, result.round_trip.p50, times


def _contention(document: Document, plt: Any) -> Any:
    """Claims a second against the number of claimants."""
    lines: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for race in document.races:
        key = (race.contender, race.batch)
        lines.setdefault(key, []).append((race.claimers, race.per_second))
    if not lines:
        return None
    figure, panel = plt.subplots(figsize=(5.2, 3.8))
    for (name, batch), points in lines.items():
        _line(panel, sorted(points), name, note=f", {batch} a push" if batch > 1 else "")
    _counts(panel, sorted({race.claimers for race in document.races}))
    _logarithmic(panel.yaxis)
    panel.set_xlabel("claimers")
    panel.set_ylabel("claims a second")
    _legend(panel)
    return figure


def _backlog(document: Document, plt: Any) -> Any:
    """What a claim and a look take against the size of the backlog."""
    if not document.backlog:
        return None
    figure, panel = plt.subplots(figsize=(5.2, 3.8))
    rows = sorted(document.backlog, key=lambda result: result.size)
    for label, colour, style, values in (
        ("warm claim", COLOURS["library"], "-", [b.claim.p50 for b in rows]),
        ("ready, in process", COLOURS["tags"], "-", [b.look.p50 for b in rows]),
        ("`baton ready --json`", COLOURS["command"], "--", [b.command.p50 for b in rows]),
    ):
        sizes = [b.size for b in rows]
        panel.plot(sizes, values, style, marker="o", color=colour, label=label)
    _logarithmic(panel.xaxis, (1.0,))
    _logarithmic(panel.yaxis)
    panel.set_xlabel("tasks in the backlog")
    panel.set_ylabel("p50, ms")
    _legend(panel)
    return figure


def _pushes(document: Document, plt: Any) -> Any:
    """Pushes a finished task, by the number of slots."""
    results = sorted([*document.pushes, *document.parallel], key=lambda result: result.slots)
    if not results:
        return None
    figure, panel = plt.subplots(figsize=(4.6, 3.4))
    names = [_setting(result) for result in results]
    bars = panel.bar(
        names, [r.pushes_per_task for r in results], color=COLOURS["library"], width=0.5
    )
    panel.bar_label(bars, fmt="%.2f", padding=2)
    panel.axhline(0.6, color=COLOURS["tasks.json"], linestyle=":", label="wanted at 10 slots")
    panel.grid(axis="x", visible=False)
    panel.set_ylabel("pushes a finished task")
    _legend(panel)
    return figure


def _frames(document: Document, plt: Any) -> Any:
    """What a frame costs beside the streams' work, against the workers and the documents."""
    ways = (("workers", "documents"), ("documents", "workers"))
    series = [(x, _varying(document.frames, x, fixed)) for x, fixed in ways]
    panels_of = [(x, points) for x, points in series if len(points) > 1]
    if not panels_of:
        return None
    figure, panels = plt.subplots(
        1, len(panels_of), figsize=(4.4 * len(panels_of), 3.8), sharey=True
    )
    for panel, (x, points) in zip(_flat(panels), panels_of, strict=True):
        for step, colour in _STEPS.items():
            values = [getattr(result, step).p50 for result in points]
            panel.plot(
                [getattr(r, x) for r in points], values, marker="o", color=colour, label=step
            )
        _logarithmic(panel.xaxis, (1.0,))
        _logarithmic(panel.yaxis)
        panel.set_xlabel(x)
    _flat(panels)[0].set_ylabel("p50, ms")
    _legend(_flat(panels)[-1])
    return figure


def _varying(results: Sequence[FrameResult], by: str, fixed: str) -> list[FrameResult]:
    """Return the results that differ in ``by``, at the most frequent value of ``fixed``."""
    values = [getattr(result, fixed) for result in results]
    usual = max(values, key=values.count, default=None)
    return sorted((r for r in results if getattr(r, fixed) == usual), key=lambda r: getattr(r, by))


def _flat(panels: Any) -> Sequence[Any]:
    return list(getattr(panels, "flat", [panels]))


def _setting(result: WorkResult) -> str:
    low, high = result.thinking
    seconds = f"{low} s" if low == high else f"{low} to {high} s"
    return f"{result.slots} slot{'s' if result.slots > 1 else ''},\ntasks of {seconds}"


def _logarithmic(axis: Any, steps: Sequence[float] = (1.0, 3.0)) -> None:
    """Give an axis a logarithmic scale with plain numbers on it."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    set_scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    set_scale("log")
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _line(panel: Any, points: Sequence[tuple[float, float]], name: str, note: str = "") -> None:
    titles: Mapping[str, str] = {str(key): title for key, title in TITLES.items()}
    panel.plot(
        [x for x, _ in points],
        [y for _, y in points],
        marker="o",
        color=COLOURS[name],
        linestyle="--" if note else "-",
        label=titles[name] + note,
    )


def _counts(panel: Any, numbers: Sequence[int]) -> None:
    panel.set_xscale("log", base=2)
    panel.set_xticks(numbers, [str(number) for number in numbers])
    panel.minorticks_off()


def _legend(panel: Any) -> None:
    panel.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))


_PLOTS: Final[Mapping[str, Callable[[Document, Any], Any]]] = {
    "latency": _latency,
    "contention": _contention,
    "backlog": _backlog,
    "pushes": _pushes,
    "frames": _frames,
}
