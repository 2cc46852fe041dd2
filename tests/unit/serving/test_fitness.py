"""What a worker may claim by its tools: for this checkout, for each plan, and after a claim."""

from __future__ import annotations

from tests.unit.serving.station import Station
from tests.unit.tasks.desk import task

OWN = frozenset({"gpu", "worker+gpu-1"})


def test_a_word_for_each_plan_whose_tools_are_here() -> None:
    station = Station(python="3.11.2")
    assert station.fitness.words() == OWN
    station.announce("shop", python=">=3.11")
    station.announce("bare")
    station.announce("shed", node=">=20")
    station.announce("odd", python="newest")
    station.clock.advance(1.0)
    station.fitness.look()
    assert station.fitness.words() == OWN | {"toolchain+shop", "toolchain+bare"}
    assert station.fitness.reason is None


def test_a_damaged_plan_gives_no_word() -> None:
    station = Station(python="3.11.2")
    station.announce("shop", python=">=3.11")
    key = next(iter(station.desk.memory.read("plans/").records))
    station.desk.put(key, {"format": 2})
    station.fitness.look(fresh=True)
    assert station.fitness.words() == OWN


def test_what_this_checkout_requires_counts_for_every_task() -> None:
    station = Station(required={"python": ">=3.12"}, python="3.11.2")
    assert station.fitness.words() is None
    assert station.fitness.reason == "python is 3.11.2; >=3.12 is required"
    assert station.fitness.verdict(task("any")) == station.fitness.reason
    station.tools.versions["python"] = "3.12"
    station.fitness.look()
    assert station.fitness.reason is not None, "it is not asked all the time"
    station.clock.advance(60.0)
    station.fitness.look()
    assert station.fitness.words() == OWN


def test_an_agent_that_is_not_logged_in_is_a_reason_too() -> None:
    station = Station()
    station.troubles = ("the agent claude is not logged in",)
    station.announce("bare")
    station.fitness.look(fresh=True)
    assert station.fitness.reason == "the agent claude is not logged in"


def test_tools_are_asked_anew_before_an_agent_runs() -> None:
    """An upgrade after the claim: the verdict says what was found, and the word is gone."""
    station = Station(python="3.11.2")
    station.announce("shop", python=">=3.11,<3.13")
    station.fitness.look(fresh=True)
    phase, other = task("shop.x", plan="shop"), task("other")
    assert station.fitness.verdict(phase) is None
    station.tools.versions["python"] = "3.13"
    before = station.tools.asked
    assert station.fitness.verdict(other) is None
    assert station.tools.asked == before, "nothing is required for it"
    assert station.fitness.verdict(phase) == "python is 3.13; >=3.11,<3.13 is required"
    assert station.fitness.words() == OWN
