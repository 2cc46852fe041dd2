"""The workers of a project: what each is and can do, and whether it is still there."""

from gitbaton.plans.registry.record import WorkerRecord as WorkerRecord
