"""The lab does what a network does: machines reach each other, until a cable is pulled out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.functional.working import wait_until
from tests.integration.machines.guardian import marked
from tests.integration.machines.lab import Kind, Lab, open_lab
from tests.integration.machines.machine import HUB
from tests.needs import needs

WAYS = (("east", "west"), ("west", "east"), ("east", HUB))


def reaches(lab: Lab, way: tuple[str, str]) -> bool:
    """Tell whether a command gets from one machine to the other by ssh."""
    source, target = way
    machine = lab[source]
    asked = subprocess.run(
        [*machine.enter, "ssh", target, 'echo "$HOME"'],
        env=dict(machine.env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() == str(lab[target].home)


def open_ways(lab: Lab) -> Sequence[bool]:
    """Tell of each way whether it is open."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda way: reaches(lab, way), WAYS))


@pytest.mark.parametrize("kind", ["namespaces", "loopback"])
def test_machines_reach_each_other_until_one_is_cut_off(kind: Kind, tmp_path: Path) -> None:
    needs("sshd")
    if kind == "namespaces":
        needs("namespaces")
    with open_lab(tmp_path, ("east", "west"), kind) as lab:
        assert open_ways(lab) == [True, True, True]
        lab["west"].run("git", "clone", "-q", lab.remote.url, str(lab["west"].clone))
        lab.network.cut("east")
        assert open_ways(lab) == [False, False, False]
        assert lab["west"].git("ls-remote", "origin") == ""
        lab.network.mend("east")
        wait_until(lambda: all(open_ways(lab)), "the way back")
        wait_until(lambda: lab.is_quiet("east") and lab.is_quiet("west"), "the end of all")


OWNER = """
import sys
from pathlib import Path
from tests.integration.machines.guardian import marked
from tests.integration.machines.lab import open_lab
with open_lab(Path(sys.argv[1]), ["east"], sys.argv[2]) as lab:
    lab["east"].clone.mkdir()
    lab["east"].start("inbox", "wait", out=Path(sys.argv[1], "out"), err=Path(sys.argv[1], "err"))
    print(lab["east"].env["GITBATON_TEST_MACHINE"], flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["namespaces", "loopback"])
def test_nothing_is_left_of_a_lab_whose_owner_is_killed(kind: Kind, tmp_path: Path) -> None:
    needs("sshd")
    if kind == "namespaces":
        needs("namespaces")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), kind],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        word = owner.stdout.readline().strip()
        assert word and list(marked(word))
        owner.kill()
    wait_until(lambda: not list(marked(word)), "the end of its programs")
    place = Path("/run/netns")
    wait_until(lambda: not list(place.glob(f"*-{owner.pid}-*")), "the end of its namespaces")
