"""What a plan asks of the workers that are known."""

from __future__ import annotations

from typing import Any

from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.validation import Surroundings
from tests.unit.plans.plantext import HEADER, phase, problems


def worker(name: str, *capabilities: str, **fields: Any) -> WorkerRecord:
    """Return a worker as its record has it."""
    return WorkerRecord(name=name, machine="m", capabilities=capabilities, **fields)


def words(*parts: str, workers: tuple[WorkerRecord, ...]) -> list[str]:
    """Return ``line level: message`` of what is said about a plan for these workers."""
    around = Surroundings(workers={worker.name: worker for worker in workers})
    found = problems(HEADER, *parts, around=around)
    return [f"{p.line} {p.level}: {p.message}" for p in found]


GPU = worker("gpu-1", "gpu", "linux", toolchain={"python": "3.12.1"})
MAC = worker("mac", "macos", toolchain={"python": "3.9.6"})


def test_without_any_worker_there_is_one_note_and_only_if_something_is_asked() -> None:
    assert words(phase("a"), workers=()) == []
    [note] = words(phase("a", 'requires = ["gpu"]'), phase("b", 'worker = "x"'), workers=())
    assert note.startswith("1 note: no worker is registered yet")


def test_a_capability_that_nobody_has() -> None:
    text = phase("a", 'requires = [\n"linux",\n"tpu"]')
    assert words(text, workers=(GPU, MAC)) == [
        "10 error: phase 'a': no registered worker has 'tpu'"
    ]


def test_capabilities_that_no_one_worker_has_together() -> None:
    assert words(phase("a", 'requires = ["gpu", "macos"]'), workers=(GPU, MAC)) == [
        "8 error: phase 'a': no one registered worker has all of: gpu, macos"
    ]


def test_a_pin() -> None:
    assert words(phase("a", 'worker = "gpu-1"', 'requires = ["gpu"]'), workers=(GPU, MAC)) == []
    assert words(phase("a", 'worker = "gpu-2"'), workers=(GPU, MAC)) == [
        "8 error: phase 'a': worker 'gpu-2' is not registered; known: gpu-1, mac"
    ]
    assert words(phase("a", 'worker = "mac"', 'requires = ["gpu"]'), workers=(GPU, MAC)) == [
        "8 error: phase 'a': it is pinned to 'mac', which does not have 'gpu'"
    ]


def test_the_toolchain_of_a_pin() -> None:
    tools = '[toolchain]\npython = ">=3.11"\n'
    assert words(tools, phase("a", 'worker = "gpu-1"'), workers=(GPU, MAC)) == []
    [message] = words(tools, phase("a", 'worker = "mac"'), workers=(GPU, MAC))
    assert message.startswith("10 error: phase 'a': it is pinned to 'mac', where python is 3.9.6")


def test_a_toolchain_that_nobody_has() -> None:
    [message] = words('[toolchain]\npython = ">=4"\n', phase("a"), workers=(GPU, MAC))
    assert message.startswith("4 error: no registered worker meets [toolchain]: gpu-1: python is")


def test_capability_and_toolchain_must_be_on_one_worker() -> None:
    tools = '[toolchain]\npython = ">=3.11"\n'
    [message] = words(tools, phase("a", 'requires = ["macos"]'), workers=(GPU, MAC))
    assert "no one registered worker with the tools of [toolchain] has all of: macos" in message
