"""Plain and fast transport side by side on this machine: ``measure [ROUNDS [OTHER_REFS]]``.

Run as ``python -m tests.integration.git.fast.measure``. Prints the median and the 90th percentile
of each operation in milliseconds. Rounds are interleaved, so that what else the machine does
strikes both alike.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gitbaton.core.ids import Oid
from gitbaton.git.remote import PushState, RefUpdate, Remote
from tests.hermetic import hermetic_environment
from tests.integration.git.desk import Desk, Transport
from tests.servers.files import file_site
from tests.servers.httpd import http_site
from tests.servers.site import BareRepository, Site
from tests.servers.sshd import ssh_site

Times = dict[tuple[str, Transport, str], list[float]]
TRANSPORTS: tuple[Transport, ...] = ("plain", "fast")


class Subject:
    """One transport to one repository, and what is done on it."""

    def __init__(self, desk: Desk, server: BareRepository, times: Times) -> None:
        self._desk, self._times, self._kind = desk, times, server.site.kind
        self._remote: Remote = desk.remote(server)
        self._number = 0

    def round(self) -> None:
        """List, create, update, and move two refs together: once each."""
        self._number += 1
        record, branch = f"refs/baton/tasks/t{self._number}", f"refs/heads/t{self._number}"
        first = self._desk.commit()
        second = self._desk.commit(first)
        third = self._desk.commit(second)
        self._timed("list", lambda: self._remote.list(["refs/baton/"]))
        self._timed("create", lambda: self._push(RefUpdate(record, None, first)))
        self._timed("update", lambda: self._push(RefUpdate(record, first, second)))
        both = RefUpdate(record, second, third), RefUpdate(branch, None, third)
        self._timed("atomic of 2", lambda: self._push(*both))

    def warm_up(self) -> None:
        """Make the connection, read the configuration."""
        self._remote.list(["refs/baton/"])
        self._push(RefUpdate("refs/baton/warm", None, self._desk.commit()))

    def _push(self, *updates: RefUpdate) -> None:
        fates = self._remote.push(updates, atomic=len(updates) > 1)
        assert {fate.state for fate in fates.values()} == {PushState.DONE}, fates

    def _timed(self, name: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        took = (time.perf_counter() - began) * 1000
        self._times[self._kind, self._desk.transport, name].append(took)


@contextmanager
def sites(root: Path) -> Iterator[list[Site]]:
    """Serve repositories over all three."""
    for name in ("file", "ssh", "http"):
        (root / name).mkdir()
    with (
        ssh_site(root / "ssh") as ssh,
        http_site(root / "http", users={"agent": "s3cret"}) as web,
    ):
        yield [file_site(root / "file"), ssh, web]


def main(rounds: int, refs: int) -> None:
    """Measure, and print a table."""
    root = Path(tempfile.mkdtemp())
    os.environ.update(hermetic_environment(os.environ, root / "home"))
    times: Times = defaultdict(list)
    with sites(root) as served, ExitStack() as closing:
        subjects = []
        for site in served:
            for transport in TRANSPORTS:
                desk = Desk(root / f"{site.kind}-{transport}.git", transport)
                closing.callback(desk.close)
                server = site.fresh()
                _fill(desk, server, refs)
                subjects.append(Subject(desk, server, times))
        for subject in subjects:
            subject.warm_up()
        for _ in range(rounds):
            for subject in subjects:
                subject.round()
    _print(times)


def _fill(desk: Desk, server: BareRepository, refs: int) -> None:
    oid: Oid = desk.commit()
    desk.git.run("push", "-q", str(server.path), f"{oid}:refs/heads/main")
    lines = "".join(f"create refs/other/r{number} {oid}\n" for number in range(refs))
    server.git("update-ref", "--stdin", stdin=lines.encode())
    server.git("pack-refs", "--all")


def _print(times: Times) -> None:
    print(f"{'':5} {'':12} {'plain':>14} {'fast':>14} {'ratio':>6}   (median / p90, ms)")
    for kind, name in dict.fromkeys((kind, name) for kind, _, name in times):
        shown, medians = [], []
        for transport in TRANSPORTS:
            taken = sorted(times[kind, transport, name])
            medians.append(statistics.median(taken))
            shown.append(f"{medians[-1]:6.1f} / {taken[int(len(taken) * 0.9)]:5.1f}")
        print(f"{kind:5} {name:12} {shown[0]:>14} {shown[1]:>14} {medians[0] / medians[1]:6.1f}")


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:3]] or [20]
    main(wanted[0], refs=wanted[1] if len(wanted) > 1 else 10)
