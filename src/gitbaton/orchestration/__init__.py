"""Runs plans, with nothing in hand that the records do not say: ``docs/design/plans.md``."""
