"""When slots wait for each other, and when they do not (pure)."""

from __future__ import annotations

from gitbaton.work.company import Company

WINDOW = 10.0


def make_company(*, scarce: bool = False) -> Company:
    return Company(WINDOW, scarce=lambda: scarce)


def test_a_landing_waits_while_another_slot_works() -> None:
    company = make_company()
    company.begin(1)
    assert company.landing_wait(1, 0.0) == 0.0, "alone"
    company.begin(2)
    company.lands(1)
    assert company.landing_wait(1, 0.0) == WINDOW
    assert company.landing_wait(1, 4.0) == WINDOW - 4.0
    assert company.landing_wait(1, WINDOW) <= 0.0
    assert company.landing_wait(2, 0.0) == 0.0, "all are there"
    company.leave(2)
    assert company.landing_wait(1, 0.0) == 0.0, "the other one has left"


def test_what_waited_offline_waits_for_no_company() -> None:
    """One thread sends it all: it would pay the window for each of them."""
    company = make_company()
    company.begin(1)
    company.begin(2)
    assert company.landing_wait(1, 0.0) == 0.0, "no slot has anything to land"
    company.lands(1)
    assert company.landing_wait(2, 0.0) == 0.0, "one of the two is no slot's"


def test_who_has_landed_is_not_waited_for() -> None:
    company = make_company()
    for slot in (1, 2, 3):
        company.begin(slot)
    company.landed(3)
    company.lands(1)
    assert company.landing_wait(2, 0.0) == 0.0
    assert company.landing_wait(1, 0.0) == WINDOW


def test_a_renewal_that_would_come_late_closes_the_window() -> None:
    company = make_company()
    company.begin(1)
    company.begin(2)
    company.lands(1)
    assert company.landing_wait(1, 0.0, spare=0.5) == 0.5
    assert company.landing_wait(1, 0.0, spare=-1.0) <= 0.0


def test_free_slots_wait_for_those_about_to_be_free_but_not_for_long() -> None:
    company = make_company()
    company.begin(1)
    assert company.claim_wait(0.0) == 0.0, "it has long to go"
    company.lands(1)
    assert company.claim_wait(0.0) > 0.0
    company.landed(1)
    assert company.claim_wait(1.0) > 0.0
    assert company.claim_wait(WINDOW / 4) <= 0.0
    company.leave(1)
    assert company.claim_wait(0.0) == 0.0
    company.lands(1)
    company.landed(1)
    assert company.claim_wait(0.0) == 0.0, "what comes after its end is no news"


def test_nobody_waits_at_the_end() -> None:
    company = make_company()
    company.begin(1)
    company.begin(2)
    company.lands(2)
    company.close()
    assert company.landing_wait(1, 0.0) == 0.0
    assert company.claim_wait(0.0) == 0.0


def test_while_pushes_are_scarce_free_slots_wait_for_the_whole_window() -> None:
    company = make_company(scarce=True)
    company.begin(1)
    assert company.claim_wait(0.0) == 0.0, "nobody is about to be free"
    company.lands(1)
    assert company.claim_wait(WINDOW) > 0.0
    assert company.claim_wait(WINDOW * 1.25) <= 0.0
